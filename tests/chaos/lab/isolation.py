"""Runs a scenario in namespaces of its own: network, mounts and processes.

Everything that a lab makes lives in them: hosts, links, firewall rules, mounted images, processes. The kernel removes it when the
first process inside ends, also after an exception or a signal. Two runs cannot meet, even with the same names.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.local import death_signal
from tests.chaos.scenario import Result
from tests.support.paths import REPOSITORY

TOOLS = ("unshare", "nsenter", "ip", "ss", "nft", "mount", "mkfs.ext4")
FAKETIME = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
POLL_SECONDS = 0.5
_UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")


class NoLab(Exception):
    """A lab cannot be made here; the text says why."""


def missing() -> str:
    """Return why a lab cannot be made here, empty when it can."""
    if sys.platform != "linux":
        return "network namespaces exist on Linux only"
    if absent := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"these programs are not installed: {', '.join(absent)}"
    if not FAKETIME:
        return "libfaketime is not installed"
    probe = subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True, text=True)  # noqa: S603  # our own list
    return f"namespaces cannot be made: {probe.stderr.strip()}" if probe.returncode else ""


class Job(NamedTuple):
    """One run."""

    scenario: str
    seed: int
    app: str = "app.worker"

    @property
    def name(self) -> str:
        """The name of its directory, and of the file with its result."""
        return f"{self.scenario}-{self.seed}-{self.app.rpartition('.')[2]}"


def play(jobs: Sequence[Job], scale: float, directory: Path | None = None) -> Iterator[Result]:
    """Play runs one after the other on the same brokers; yield each result when it is there.

    Logs stay in ``directory``, if one is given. Raises NoLab.
    """
    if reason := missing():
        raise NoLab(reason)
    with tempfile.TemporaryDirectory(prefix="lab-") as temporary:
        folder = (directory or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        named = [f"{job.scenario}={job.seed}={job.app}" for job in jobs]
        words = ["--scale", str(scale), "--directory", str(folder)]
        with _inside([sys.executable, "-m", "tests.chaos.lab", *named, *words]) as process:
            for job in jobs:
                yield _result(folder / f"{job.name}.json", process)


def _result(file: Path, process: subprocess.Popen[bytes]) -> Result:
    while not file.exists():
        time.sleep(POLL_SECONDS)
        if process.poll() is not None and not file.exists():
            raise RuntimeError(f"the lab ended with exit code {process.returncode}, without {file.name}")
    return msgspec.json.decode(file.read_bytes(), type=Result)


@contextmanager
def _inside(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command as the first process of new namespaces, which end with it, with the block and with this process."""
    unshare = [str(shutil.which(_UNSHARE[0])), *_UNSHARE[1:]]
    with_parent = [sys.executable, "-I", "-S", death_signal.__file__, str(os.getpid())]
    before = signal.signal(signal.SIGTERM, _leave)
    process = subprocess.Popen([*with_parent, *unshare, *command], cwd=REPOSITORY)  # noqa: S603  # our own list
    try:
        yield process
        process.wait()
    finally:
        process.kill()
        process.wait()
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _: Any) -> None:
    sys.exit(128 + number)
