"""Memory of a process and size of files on disk."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import psutil

from app.local.state import Stack

_GAUGE = re.compile(r"^fraudstream_(\w+) (\S+)$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
BLOCK_BYTES = 512
"""Unit of ``st_blocks``, independent of the file system's block size."""


class Memory(NamedTuple):
    """Memory of one process, in bytes."""

    rss: int
    """Resident memory, including pages shared with other processes."""
    pss: int
    """Resident memory with shared pages divided among the processes that share them; 0 where not available."""
    peak_rss: int
    """Largest resident memory since the start; 0 where not available."""


def memory(pid: int) -> Memory:
    """Return the present memory of a process."""
    found = psutil.Process(pid).memory_full_info()
    status = Path(f"/proc/{pid}/status")
    peak = _PEAK.search(status.read_text(encoding="utf-8")) if status.exists() else None
    return Memory(found.rss, getattr(found, "pss", 0), int(peak.group(1)) * 1024 if peak else 0)


def disk_bytes(directory: Path) -> int:
    """Return the disk space of the files below ``directory``, including reserved space. Files may disappear meanwhile."""
    return sum(_taken(path) for path in directory.rglob("*"))


def topic_bytes(stack: Stack, topic: str) -> int:
    """Return the bytes of a topic's log files on the disks of all brokers, compressed as stored."""
    logs = stack.directory.glob(f"kafka-*/data/{topic}-*/*.log")
    return sum(path.stat().st_size for path in logs)


def gauges(port: int) -> dict[str, float]:
    """Return the worker's gauges without labels, from the metrics on ``port``."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        return {name: float(value) for name, value in _GAUGE.findall(page.read().decode())}


def _taken(path: Path) -> int:
    try:
        return path.stat().st_blocks * BLOCK_BYTES
    except FileNotFoundError:
        return 0
