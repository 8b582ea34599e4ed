"""What a process holds in memory, and what files take on disk."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import psutil

from app.local.state import Stack

_GAUGE = re.compile(r"^fraudstream_(\w+) (\S+)$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
BLOCK_BYTES = 512
"""The unit in which a file's blocks are counted, whatever the file system's own."""


class Memory(NamedTuple):
    """Of one process, in bytes."""

    rss: int
    """Resident, pages shared with other processes included."""
    pss: int
    """The same with shared pages split among those that share them; 0 where the system does not tell."""
    peak_rss: int
    """The most that was resident since its start; 0 where the system does not tell."""


def memory(pid: int) -> Memory:
    """What the process holds now."""
    found = psutil.Process(pid).memory_full_info()
    status = Path(f"/proc/{pid}/status")
    peak = _PEAK.search(status.read_text(encoding="utf-8")) if status.exists() else None
    return Memory(found.rss, getattr(found, "pss", 0), int(peak.group(1)) * 1024 if peak else 0)


def disk_bytes(directory: Path) -> int:
    """What the files below ``directory`` take, reserved space included. Files may go while they are counted."""
    return sum(_taken(path) for path in directory.rglob("*"))


def topic_bytes(stack: Stack, topic: str) -> int:
    """What a topic's records take on the disks of all brokers, as compressed as they are there."""
    logs = stack.directory.glob(f"kafka-*/data/{topic}-*/*.log")
    return sum(path.stat().st_size for path in logs)


def gauges(port: int) -> dict[str, float]:
    """The worker's own figures that have no label, from the metrics it serves on ``port``."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        return {name: float(value) for name, value in _GAUGE.findall(page.read().decode())}


def _taken(path: Path) -> int:
    try:
        return path.stat().st_blocks * BLOCK_BYTES
    except FileNotFoundError:
        return 0
