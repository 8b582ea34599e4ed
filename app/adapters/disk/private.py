"""Folders and files that no other user of the machine may read: records of customers, passwords, logs."""

import os
import stat
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_folder(path: Path) -> None:
    """Create a folder for the owner alone, and its parents, unless they exist. An existing folder keeps its mode: an
    operator may have opened it on purpose.
    """
    for folder in reversed([each for each in (path, *path.parents) if not each.exists()]):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def write_file(path: Path, text: str) -> None:
    """Write a file for the owner alone, durably. A file that was there, or a link, is replaced, never written through."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_open_to_others(path: Path) -> bool:
    """Whether the mode of a folder lets other users in."""
    return bool(path.stat().st_mode & _OF_OTHERS)
