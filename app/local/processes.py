"""Processes by pid and creation time: the system may have given the pid to another process."""

import signal
import time
from collections.abc import Sequence

import msgspec
import psutil

POLL_SECONDS = 0.05
CLOCK_STEP_SECONDS = 2.0
"""Tolerance: a creation time is computed from the boot time, which shifts when the clock is set."""


class Process(msgspec.Struct, frozen=True):
    """One process, recognisable after its pid was reused."""

    pid: int
    created: float
    """Seconds since the epoch."""


def identify(pid: int) -> Process | None:
    """Return the process that has this pid now; None if there is none."""
    try:
        return Process(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(process: Process) -> bool:
    """Return whether this process runs. A zombie does not run: without a reaping init it would stay forever."""
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.created) < CLOCK_STEP_SECONDS
        return same and not _is_over(found)
    except psutil.NoSuchProcess:
        return False


def _is_over(found: psutil.Process) -> bool:
    """Return whether a process has ended. A killed Java is a zombie while its other threads still hold its ports."""
    return bool(found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1)


def end(processes: Sequence[Process], grace_seconds: float) -> None:
    """Send SIGTERM to all, wait, and kill those that still run."""
    _signal(processes, signal.SIGTERM)
    _signal(wait_gone(processes, grace_seconds), signal.SIGKILL)
    wait_gone(processes, grace_seconds)


def wait_gone(processes: Sequence[Process], seconds: float) -> list[Process]:
    """Wait until all have ended, at most ``seconds``; return those still alive."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


def _signal(processes: Sequence[Process], number: signal.Signals) -> None:
    for process in processes:
        if is_alive(process):
            try:
                psutil.Process(process.pid).send_signal(number)
            except psutil.NoSuchProcess:
                continue  # it has ended meanwhile
