"""Processes by pid and creation time: a pid alone may by now belong to somebody else."""

import signal
import time
from collections.abc import Sequence

import msgspec
import psutil

POLL_SECONDS = 0.05
CLOCK_STEP_SECONDS = 2.0
"""A creation time is computed from the boot time, which moves a little when the clock is set."""


class Process(msgspec.Struct, frozen=True):
    """One process, recognisable after its pid was given away again."""

    pid: int
    created: float
    """Seconds since the epoch."""


def identify(pid: int) -> Process | None:
    """The process that has this pid now; None if there is none."""
    try:
        return Process(pid, psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_alive(process: Process) -> bool:
    """Whether this very process runs. A zombie does not: where init reaps nobody, it stays forever."""
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.created) < CLOCK_STEP_SECONDS
        return same and not _is_over(found)
    except psutil.NoSuchProcess:
        return False


def _is_over(found: psutil.Process) -> bool:
    """Of a killed Java the first thread is a zombie while others still hold its ports."""
    return bool(found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1)


def end(processes: Sequence[Process], grace_seconds: float) -> None:
    """Ask all of them to stop, wait, and kill those that have not."""
    _signal(processes, signal.SIGTERM)
    _signal(wait_gone(processes, grace_seconds), signal.SIGKILL)
    wait_gone(processes, grace_seconds)


def wait_gone(processes: Sequence[Process], seconds: float) -> list[Process]:
    """Wait until all have gone, at most ``seconds``; those still alive."""
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
                continue  # gone since the line above: what was wanted
