"""MirrorMaker 2 with the file of deploy/mirror, between two clusters of one broker each."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from app.local import death_signal, ports
from app.local.java import jars, runtime
from app.settings import Stream, TopicSettings
from tests.support.paths import REPOSITORY

PROPERTIES = REPOSITORY / "deploy" / "mirror" / "mirror.properties"
MAIN = "org.apache.kafka.connect.mirror.MirrorMaker"
STOP_SECONDS = 20


class MirrorMaker:
    """One process. Started again, it continues where it last stored its offsets."""

    def __init__(self, directory: Path, primary: str, mirror: str, topics: TopicSettings) -> None:
        self.log = directory / "mirror-maker.log"
        folder = directory / "mirror-maker"
        arguments = runtime.prepare(
            folder, self.log, jars.ensure(jars.cache_directory(), jars.read_lock("mirror.lock"))
        )
        text = _with_names(PROPERTIES.read_text("utf-8"), TopicSettings().names(), topics.names())
        own = {
            "primary.bootstrap.servers": primary,
            "mirror.bootstrap.servers": mirror,
            "listeners": f"http://{ports.HOST}:{ports.choose()}",
        } | _one_broker(text)
        properties = folder / "mirror.properties"
        properties.write_text(
            text + "".join(f"{name}={value}\n" for name, value in own.items()), encoding="utf-8"
        )
        self._command = runtime.command(arguments, "-Xmx256m", MAIN, str(properties))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin the process; it ends with this one."""
        guard = [sys.executable, "-I", "-S", death_signal.__file__, str(os.getpid())]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen([*guard, *self._command], stdout=output, stderr=output)  # noqa: S603  # our own list of arguments

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Copy nothing more, as on a link that is down."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end; kill it if it does not."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None


def _with_names(text: str, documented: Mapping[Stream, str], own: Mapping[Stream, str]) -> str:
    """The topics of the file by the names of a deployment under test."""
    for stream, name in documented.items():
        assert name in text, f"{PROPERTIES} does not copy {name}"
        text = text.replace(name, own[stream])
    return text


def _one_broker(text: str) -> dict[str, int]:
    """The file's replication factors, as one broker allows them. Of a property that occurs twice, the last one counts."""
    names: Collection[str] = [line.partition("=")[0].strip() for line in text.splitlines()]
    return {name: 1 for name in names if name.endswith("replication.factor")}
