"""The demo's processes: workers with a data directory each, and helpers. Each has a log file, and none outlives the demo."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.errors import StackError
from app.local import death_signal

STOP_SECONDS = 20.0
POLL_SECONDS = 0.1
LOG_LINES = 15


class Child:
    """A Python process that ends with the demo."""

    def __init__(
        self, name: str, directory: Path, environment: Mapping[str, str], arguments: list[str]
    ) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._environment = os.environ | environment
        self._command = [sys.executable, "-P", "-m", *arguments]

    def start(self) -> None:
        """Start the process. Call it from the main thread: the kernel kills the child when the starting thread ends."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own list of arguments
                [sys.executable, "-I", "-S", death_signal.__file__, str(os.getpid()), *self._command],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # Ctrl-C on the console does not reach it: the demo stops it after the drain
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code; None while it runs, negative for the signal that ended it."""
        return self._process.poll()

    def terminate(self) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> None:
        """Wait until the process ends; kill it after ``seconds``."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def log_end(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return f"The end of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)


class Worker(Child):
    """A worker with a data directory of its own."""

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        data = {"FRAUDSTREAM_WORKER_DATA_DIR": str(directory / name)}
        # Not `fraudstream worker`: the demo has created the topics, and the worker itself checks the rest.
        super().__init__(name, directory, {**environment, **data}, ["app.worker_process", "info"])


async def watch(workers: list[Worker], on_restart: Callable[[str], None]) -> None:
    """Restart workers that are killed, as a supervisor would; raise StackError when one ends by itself."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        for worker in workers:
            code = worker.exit_code
            if code == -signal.SIGKILL:
                killed = worker.pid
                worker.start()
                on_restart(
                    f"{worker.name} (pid {killed}) was killed and is started again as pid {worker.pid}"
                )
            elif code is not None:
                raise StackError(f"{worker.name} ended with exit code {code}. {worker.log_end()}")


def stop(children: Sequence[Child]) -> None:
    """Send SIGTERM to all, then wait for each."""
    for child in children:
        child.terminate()
    for child in children:
        child.wait(STOP_SECONDS)
