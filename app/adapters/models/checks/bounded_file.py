"""Reads files that others may have written: regular ones, up to a number of bytes."""

import os
import stat
from pathlib import Path

from app.errors import BundleCorrupt


def read(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises OSError, or BundleCorrupt when it is larger than ``most`` bytes or no regular file."""
    # Without O_NONBLOCK the opening of a named pipe would wait for a writer for ever.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BundleCorrupt(f"{path} is no regular file. Restore it.")
        # One byte more than allowed: the file may grow after its size was asked for.
        content = file.read(most + 1)
    if len(content) > most:
        raise BundleCorrupt(f"{path} is larger than {most:,} bytes, the most that is read. Restore it.")
    return content
