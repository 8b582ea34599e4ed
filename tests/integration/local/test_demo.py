"""`fraudstream demo` from nothing to its reconciliation; it leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.demo.folder import STACK
from app.local import stack as local_stack
from tests.support.paths import REPOSITORY

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

COMMAND = str(Path(sys.executable).with_name("fraudstream"))
SECONDS = 200
POLL_SECONDS = 0.2


class Demo:
    """A demo in a directory of its own, its output in a file."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory / "demo"
        self._output = directory / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603  # ours
                [COMMAND, "demo", "--dir", str(self.directory), *arguments],
                cwd=REPOSITORY,
                env=os.environ | {"NUMBA_CACHE_DIR": str(directory / "machine-code")},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self._output.read_text()

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.text())):
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(POLL_SECONDS)
        return found

    def wait(self) -> int:
        return self.process.wait(SECONDS)

    def left_behind(self) -> list[str]:
        """The command lines of processes that know the directory."""
        commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        return [command for command in commands if str(self.directory) in command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts demos; one that a failed test left running is ended."""
    started: list[Demo] = []

    def demo(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield demo
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(SECONDS)


def test_a_short_demo_reconciles_and_leaves_nothing_behind(start: Callable[..., Demo]) -> None:
    demo = start("--seconds", "8", "--rate", "200")

    assert demo.wait() == 0, demo.text()
    text = demo.text()
    account = re.search(r"reconciled: (\S+) produced = (\S+) decided \+ 20 dead-lettered \+ 0 dupl", text)
    assert account, text
    produced, decided = (int(number.replace(",", "")) for number in account.groups())
    assert produced == decided + 20
    assert re.search(r"reconciled: (\S+) alerts expected from the decisions, \1 alerts received", text), text
    assert re.search(r"first alert after \d+ s", text), text
    assert demo.left_behind() == []
    # The demo has compiled for them, into a folder that was empty.
    for worker in ("worker-1", "entities"):
        log = (demo.directory / f"{worker}.log").read_text(encoding="utf-8")
        assert "started" in log
        assert "machine_code_compiled" not in log


def test_a_killed_worker_loses_nothing_and_ctrl_c_ends_in_order(start: Callable[..., Demo]) -> None:
    demo = start("--rate", "100")
    worker = int(demo.wait_for(r"kill -9 (\d+)").group(1))
    os.kill(worker, signal.SIGKILL)
    demo.wait_for(rf"worker-1 \(pid {worker}\) was killed and is started again as pid \d+")
    demo.process.send_signal(signal.SIGINT)

    assert demo.wait() == 0, demo.text()
    assert "reconciled: " in demo.text()
    assert demo.left_behind() == []
    assert not psutil.pid_exists(worker)


def test_a_worker_that_ends_by_itself_ends_the_demo_with_its_log(start: Callable[..., Demo]) -> None:
    demo = start()
    worker = int(demo.wait_for(r"kill -9 (\d+)").group(1))
    os.kill(worker, signal.SIGTERM)

    assert demo.wait() == 1
    assert "worker-1 ended with exit code 0. The end of " in demo.text()
    assert "Traceback" not in demo.text()
    assert local_stack.status(demo.directory / STACK) is None
    assert demo.left_behind() == []


def test_ctrl_c_while_the_stack_starts_leaves_no_process(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_for("starting Kafka")
    time.sleep(1)
    demo.process.send_signal(signal.SIGINT)

    assert demo.wait() == 130
    assert "Traceback" not in demo.text()
    assert demo.left_behind() == []
