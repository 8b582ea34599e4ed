"""The broker of a run: a stack in a temporary directory, stopped and deleted when the run ends."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.local import stack
from app.local.state import Stack


@contextmanager
def broker() -> Iterator[tuple[Stack, Path]]:
    """Start a stack; yield it and a directory for the contestants' data. SIGTERM stops everything in order."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with tempfile.TemporaryDirectory(prefix="fraudstream-bench-") as name:
        directory = Path(name)
        try:
            yield stack.start(directory / "stack", lifeline_pid=os.getpid()), directory
        finally:
            stack.stop(directory / "stack")


def cpu_seconds(running: Stack) -> float:
    """Return the user and system time of all brokers so far."""
    times = [psutil.Process(broker.pid).cpu_times() for broker in running.brokers]
    return float(sum(time.user + time.system for time in times))
