"""A disk that may lose, at power loss, what was not synced."""

from collections.abc import Callable
from pathlib import Path

from app.adapters.disk.durable_file import Disk

Content = bytes | None
"""None: the file is missing."""


class ForgetfulDisk(Disk):
    """Performs the operations on real files, and tracks what ``path`` may hold if power is lost now.

    A file that was not synced may be empty, cut or complete. A rename reaches the disk with the sync of its folder, or before.
    ``forgets`` selects paths whose sync does nothing.
    """

    def __init__(self, path: Path, forgets: Callable[[Path], bool] = lambda _: False) -> None:
        self._path = path
        self._forgets = forgets
        self._possible: set[Content] = {path.read_bytes() if path.exists() else None}
        self._unsynced: dict[Path, set[Content]] = {}
        self.seen: list[set[Content]] = []
        """After each operation: what the file holds if power is lost now."""
        self.steps: list[tuple[str, str]] = []

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self._unsynced[path] = {data[:size] for size in range(len(data) + 1)}
        self._note("write", path)

    def sync(self, path: Path) -> None:
        super().sync(path)
        if not self._forgets(path):
            if path.is_dir():
                self._possible = self._contents()
            else:
                self._unsynced.pop(path, None)
        self._note("sync", path)

    def rename(self, path: Path, target: Path) -> None:
        super().rename(path, target)
        if path in self._unsynced:
            self._unsynced[target] = self._unsynced.pop(path)
        self._possible |= self._contents()
        self._note("rename", target)

    def _contents(self) -> set[Content]:
        """What the file may hold once its present name is on the disk."""
        present: set[Content] = {self._path.read_bytes() if self._path.is_file() else None}
        return self._unsynced.get(self._path, present)

    def _note(self, step: str, path: Path) -> None:
        self.steps.append((step, "folder" if path.is_dir() else "file"))
        self.seen.append(set(self._possible))
