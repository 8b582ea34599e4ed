"""A disk that loses power: an ext4 file system in an image file, of which only what was written back survives."""

import fcntl
import os
import struct
from pathlib import Path

from tests.chaos.lab.network import run

IMAGE_BYTES = 512 * 1024 * 1024
_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN."""
_WITHOUT_FLUSH = 0x2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: neither pages nor the journal are written any more."""


class Disk:
    """A file system at ``place`` in an image beside it."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._image = place.with_suffix(".image")
        with self._image.open("wb") as image:
            image.truncate(IMAGE_BYTES)
        run("mkfs.ext4", "-q", "-F", str(self._image))
        place.mkdir(parents=True)
        self._mount()

    def lose_power(self) -> None:
        """Stop all writing at once: what is only in memory stays there. Then end the processes that use it, and `restore`."""
        directory = os.open(self._place, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSH))
        finally:
            os.close(directory)

    def restore(self) -> None:
        """Mount what survived, as after a boot: the journal is replayed."""
        self.close()
        self._mount()

    def close(self) -> None:
        """Unmount the file system."""
        run("umount", str(self._place))

    def _mount(self) -> None:
        run("mount", "-o", "loop", str(self._image), str(self._place))
