"""A directory in memory for the files of one process."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

_kept: list[Any] = []


@cache
def memory_directory() -> Path:
    """It is removed when the process ends. On the disk where the machine has no file system in memory."""
    memory = Path("/dev/shm")  # noqa: S108  # a directory of our own is made in it
    made = tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory if memory.is_dir() else None)
    _kept.append(made)
    return Path(made.name)
