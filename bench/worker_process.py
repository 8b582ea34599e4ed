"""A worker as the operating system sees it: a process with an environment, a log and a bill."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil


class WorkerProcess:
    """One worker on a data directory of its own, from start to SIGTERM."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._environment = (
            os.environ | environment | {"FRAUDSTREAM_WORKER_DATA_DIR": str(directory / "data")}
        )

    def __enter__(self) -> Self:
        with (self._directory / "worker.log").open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "faust", "-A", "app.worker", "worker", "-l", "info"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(30)

    def cpu_seconds(self) -> float:
        """User and system time so far. Raises RuntimeError with the log's end when the worker has gone."""
        if self._process.poll() is not None:
            end = (self._directory / "worker.log").read_text()[-2000:]
            raise RuntimeError(f"the worker ended with {self._process.returncode}:\n{end}")
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)
