"""Worker processes with their own directory and environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.support.paths import REPOSITORY
from tests.support.processes import fork_server
from tests.support.processes.fork_server import ForkedProcess

START_SECONDS = 60
STOP_SECONDS = 40
POLL_SECONDS = 0.05
TAIL_LINES = 60
STARTED = "started"


class Worker:
    """A worker process with its data directory and its log. It may be started again after it has ended."""

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.data_dir = directory / name
        self.log = directory / f"{name}.log"
        self.application = "app.worker"
        """The argument of `faust -A`."""
        self.started_word = STARTED
        """The word in its log that shows that it has started."""
        self.prefix: tuple[str, ...] = ()
        """Words before the command, of a program that runs it in the same process."""
        self.in_full = False
        """It is started by ``python -m faust`` though there is a fork server."""
        self.root = REPOSITORY
        """The checkout whose code it runs; another one is started by ``python -m faust``."""
        self.known_settings: Collection[str] | None = None
        """The settings of that code, which refuses others; None: all."""
        self.may_end = False
        """Its end without a request by the test fails no test."""
        self._environment = dict(environment) | {"FRAUDSTREAM_WORKER_DATA_DIR": str(self.data_dir)}
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self._asked_to_end = False
        self._said_before = 0
        """Length of the log before the last start."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def begun(self) -> bool:
        """Whether it was started; it may have ended since."""
        return self._process is not None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Begin a process; returns at once."""
        assert not self.running
        self._asked_to_end = False
        self._said_before = len(self.text())
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        words = ["faust", "-A", self.application, "worker", "-l", "info"]
        environment = inherited | {
            name: value
            for name, value in self._environment.items()
            if self.known_settings is None or name in self.known_settings
        }
        with self.log.open("ab") as output:
            if fork_server.running is not None and not self.in_full and self.root == REPOSITORY:
                self._process = fork_server.running.fork(words, environment, output, output)
                return
            self._process = subprocess.Popen(  # noqa: S603  # the command is our own list of words
                [*self.prefix, sys.executable, "-m", *words],
                cwd=self.root,  # the first entry of Python's path
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def require_running(self) -> None:
        """Raise AssertionError with the exit code and the end of the log when the worker has ended although the test did not
        ask for it. Every loop that waits for the work of a worker calls this.
        """
        if self._process is None or self._asked_to_end or self.may_end:
            return
        code = self._process.poll()
        assert code is None, f"{self.name} ended with exit code {code}\n{self.tail()}"

    def wait_started(self) -> None:
        """Return when the worker has checked its prerequisites and joins its group."""
        deadline = time.monotonic() + START_SECONDS
        while self.started_word not in self.text()[self._said_before :]:
            assert self.running, f"{self.name} ended\n{self.tail()}"
            assert time.monotonic() < deadline, f"{self.name} has not started\n{self.tail()}"
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """End the process with SIGKILL: no handler runs, as in a power cut."""
        self._asked_to_end = True
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def terminate(self) -> int:
        """Stop with SIGTERM, as a deployment does; the exit code. Waits for the start first: a process without its signal
        handler would be killed by the signal.
        """
        self.wait_started()
        self._asked_to_end = True
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """The exit code, once the process has ended."""
        assert self._process is not None
        self._asked_to_end = True
        return self._process.wait(timeout)

    def lines_with(self, word: str) -> int:
        """The number of log lines with ``word``."""
        return sum(word in line for line in self.text().splitlines())

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def tail(self) -> str:
        return "\n".join(self.text().splitlines()[-TAIL_LINES:])

    def clear_up(self) -> None:
        """Kill the process if it still runs."""
        if self.running:
            self.kill()
