"""A contestant as a process, with its environment, log file and CPU time."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

STOP_SECONDS = 30
POLL_SECONDS = 0.1
LOG_TAIL = 2_000
REPOSITORY = Path(__file__).parents[2]
BENCH_PYTHON = Path(sys.executable)
WORKER_PYTHON = next(path for path in (REPOSITORY / ".venv/bin/python", BENCH_PYTHON) if path.exists())
"""The interpreter of a production worker, without bench packages: scikit-learn would import pandas if installed."""


class BenchProcess:
    """One process with a directory for data and log; the context manager starts it and stops it with SIGTERM.

    ``arguments`` follow the interpreter. FRAUDSTREAM_WORKER_DATA_DIR is set to the data directory.
    """

    def __init__(
        self,
        directory: Path,
        arguments: Sequence[str],
        environment: dict[str, str],
        python: Path = WORKER_PYTHON,
    ) -> None:
        self._log = directory / "process.log"
        self._command = [str(python), *arguments]
        self._environment = (
            os.environ | environment | {"FRAUDSTREAM_WORKER_DATA_DIR": str(directory / "data")}
        )
        directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own list of arguments
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def pin_to(self, core: int) -> None:
        """Pin all present and future threads of the process to one core."""
        psutil.Process(self._process.pid).cpu_affinity([core])

    async def wait_ended(self, seconds: float) -> None:
        """Wait until the process exits with code 0. Raises RuntimeError with the end of the log otherwise."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:  # noqa: ASYNC110  # a process sends no event when it ends
            await asyncio.sleep(POLL_SECONDS)
        if self._process.poll() != 0:
            raise RuntimeError(f"{self._command} ended with {self._process.poll()}:\n{self.log_tail()}")

    def cpu_seconds(self) -> float:
        """Return user and system time so far. Raises RuntimeError with the end of the log when the process has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._command} ended with {self._process.returncode}:\n{self.log_tail()}")
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]


class WorkerProcess(BenchProcess):
    """One of our workers."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        super().__init__(directory, ("-m", "faust", "-A", "app.worker", "worker", "-l", "info"), environment)
