"""A cache of entity states read from Redis, bounded in size and in age."""

from collections.abc import Mapping, Sequence
from itertools import islice

import msgspec


class CachedActivity(msgspec.Struct, frozen=True, gc=False):
    """A state and when it was read."""

    state: bytes
    hour: int
    """The latest hour of event time that the state is valid for: it may lack labels reported in later hours."""
    read_at: float


class ActivityCache:
    """At most ``entries`` states by entity, each for at most ``seconds``. ``now`` is in seconds of a monotonic clock.

    The state read longest ago is evicted first: it expires next, however often it is used.
    """

    def __init__(self, entries: int, seconds: float) -> None:
        self._most = entries
        self._seconds = seconds
        self._entries: dict[str, CachedActivity] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, keys: Sequence[str], hour: int, now: float) -> dict[str, bytes]:
        """The cached states of ``keys`` that are valid for ``hour``."""
        found = {}
        entries, oldest = self._entries, now - self._seconds
        for key in keys:
            entry = entries.get(key)
            if entry is not None and entry.hour >= hour and entry.read_at >= oldest:
                found[key] = entry.state
        return found

    def put(self, states: Mapping[str, bytes], hour: int, now: float) -> None:
        """Cache states read at ``now`` for transactions up to ``hour``; evict the oldest beyond the bound."""
        for key, state in states.items():
            self._entries.pop(key, None)
            self._entries[key] = CachedActivity(state, hour, now)
        for key in list(islice(self._entries, max(len(self._entries) - self._most, 0))):
            del self._entries[key]

    def clear(self) -> None:
        """Evict every state."""
        self._entries.clear()
