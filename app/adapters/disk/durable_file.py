"""Files that survive power loss: the content reaches the disk before the name does.

A file system may write a rename to disk before the content of the renamed file, which is empty after power loss. The order is
therefore: write a temporary file in the same folder, sync it, rename it, sync the folder. A reader sees the old content or the
new one, also when the process or the machine stops between two steps.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from app.adapters.disk import private


class Disk:
    """The operations that the order consists of. Tests pass a disk that forgets what was not synced."""

    def write(self, path: Path, data: bytes) -> None:
        with path.open("xb") as file:  # never through a link that another user has put there
            file.write(data)

    def sync(self, path: Path) -> None:
        """Wait until a file, or the names in a folder, are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, path: Path, target: Path) -> None:
        path.replace(target)


DISK = Disk()


def replace(path: Path, data: bytes, disk: Disk = DISK) -> None:
    """Replace the content of a file, or create it with its folders. Raises OSError, and the file is as it was."""
    make_folder(path.parent, disk)
    # A name of its own for each call: two processes may write the same file at once, each in its own container.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        disk.write(unfinished, data)
        publish(unfinished, path, disk)
    finally:
        unfinished.unlink(missing_ok=True)


def publish(unfinished: Path, path: Path, disk: Disk = DISK) -> None:
    """Give a complete file, or a folder with all that it contains, its final name in the same folder."""
    for each in _contents(unfinished):
        disk.sync(each)
    disk.rename(unfinished, path)
    disk.sync(path.parent)


def make_folder(path: Path, disk: Disk = DISK) -> None:
    """Create a folder and its parents for the owner alone, unless they exist."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    private.make_folder(path)
    for folder in missing:
        disk.sync(folder.parent)


def _contents(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for each in path.iterdir():
            yield from _contents(each)
    yield path
