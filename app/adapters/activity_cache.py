"""What was read from Redis, kept for a while: bounded in number, and never older than an answer may be."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """A state as it was read."""

    state: bytes
    hour: int
    """The newest hour of event time that it may answer for: labels of later hours may have come since."""
    read_at: float


class ActivityCache:
    """Entities by key, the least recently used go first. ``now`` is in seconds, of a clock that never runs backwards."""

    def __init__(self, entries: int, seconds: float) -> None:
        self._most = entries
        self._seconds = seconds
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, keys: Sequence[str], hour: int, now: float) -> dict[str, bytes]:
        """Those of ``keys`` whose state may answer for ``hour``; they are the most recently used from now on."""
        found = {}
        entries, oldest = self._entries, now - self._seconds
        for key in keys:
            entry = entries.get(key)
            if entry is None:
                continue
            del entries[key]
            if entry.hour >= hour and entry.read_at >= oldest:
                entries[key] = entry
                found[key] = entry.state
        return found

    def put(self, states: Mapping[str, bytes], hour: int, now: float) -> None:
        """What was read just now, for transactions up to ``hour``."""
        for key, state in states.items():
            self._entries.pop(key, None)
            self._entries[key] = Entry(state, hour, now)
        for key in _first(self._entries, len(self._entries) - self._most):
            del self._entries[key]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def _first(keys: Iterable[str], count: int) -> list[str]:
    return [key for _, key in zip(range(count), keys, strict=False)]
