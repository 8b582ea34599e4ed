"""What a worker's process and its directory use, read from outside."""

import asyncio
import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.support.workers import Worker

BLOCK_BYTES = 512
"""Unit of ``st_blocks`` on every file system."""


class Sample(NamedTuple):
    """One look at a worker."""

    worker: str
    pid: int
    seconds: float
    """Since the first sample of the run."""
    age_seconds: float
    """Since the process began."""
    resident_bytes: int
    proportional_bytes: int
    """Resident memory, of which pages shared with other processes count in part."""
    descriptors: int
    """Open files other than the database's, pipes and sockets included."""
    database_files: int
    """Open files below the data directory."""
    threads: int
    disk_bytes: int
    """Allocated to the data directory."""
    broker_bytes: int
    """Allocated to the directories of all brokers."""


def disk_bytes(directory: Path) -> int:
    """Return the bytes that are allocated to the files below a directory; files that are deleted meanwhile are left out."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(folder, name)).st_blocks * BLOCK_BYTES  # noqa: PTH116, PTH118  # one of many
    return total


def open_files(pid: int, below: Path) -> tuple[int, int]:
    """Return the number of a process's open files that are not below a directory, and of those that are."""
    inside = outside = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            is_inside = link.readlink().is_relative_to(below)
            inside, outside = inside + is_inside, outside + (not is_inside)
    return outside, inside


def look(worker: Worker, brokers: Path, seconds: float) -> Sample | None:
    """Take one sample; None when the process has ended."""
    if not worker.running:
        return None
    try:
        process = psutil.Process(worker.pid)
        memory = process.memory_full_info()
        descriptors, database_files = open_files(worker.pid, worker.data_dir)
        return Sample(
            worker=worker.name,
            pid=worker.pid,
            seconds=round(seconds, 1),
            age_seconds=round(time.time() - process.create_time(), 1),
            resident_bytes=memory.rss,
            proportional_bytes=memory.pss,
            descriptors=descriptors,
            database_files=database_files,
            threads=process.num_threads(),
            disk_bytes=disk_bytes(worker.data_dir),
            broker_bytes=disk_bytes(brokers),
        )
    except (psutil.Error, FileNotFoundError, ProcessLookupError):
        return None  # it was killed while we looked


async def sample(workers: Sequence[Worker], brokers: Path, every_seconds: float, found: list[Sample]) -> None:
    """Look at all workers again and again until cancelled; samples are appended to ``found``."""
    begun = time.monotonic()
    while True:
        for worker in workers:
            one = await asyncio.to_thread(look, worker, brokers, time.monotonic() - begun)
            found.extend([one] if one else [])
        await asyncio.sleep(every_seconds)
