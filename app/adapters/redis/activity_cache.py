"""What was read from Redis, kept for a while: bounded in number, and never older than an answer may be."""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec


class CachedActivity(msgspec.Struct, frozen=True, gc=False):
    """A state as it was read."""

    state: bytes
    hour: int
    """The newest hour of event time that it may answer for: labels of later hours may have come since."""
    read_at: float


class ActivityCache:
    """Entities by key. ``now`` is in seconds, of a clock that never runs backwards.

    What was read longest ago goes first: it would be read again soon, however often it is used.
    """

    def __init__(self, entries: int, seconds: float) -> None:
        self._most = entries
        self._seconds = seconds
        self._entries: dict[str, CachedActivity] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, keys: Sequence[str], hour: int, now: float) -> dict[str, bytes]:
        """Those of ``keys`` whose state may answer for ``hour``."""
        found = {}
        entries, oldest = self._entries, now - self._seconds
        for key in keys:
            entry = entries.get(key)
            if entry is not None and entry.hour >= hour and entry.read_at >= oldest:
                found[key] = entry.state
        return found

    def put(self, states: Mapping[str, bytes], hour: int, now: float) -> None:
        """What was read just now, for transactions up to ``hour``."""
        for key, state in states.items():
            self._entries.pop(key, None)
            self._entries[key] = CachedActivity(state, hour, now)
        for key in list(islice(self._entries, max(len(self._entries) - self._most, 0))):
            del self._entries[key]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
