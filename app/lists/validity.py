"""The event times for which an entry is in its list."""

from typing import NamedTuple

from app.lists.changes import Action, ListChange

EARLIEST_MS, LATEST_MS = -(2**63), 2**63 - 1
"""Where a validity has no first or no last time."""


class Validity(NamedTuple):
    """Event times from ``since_ms`` up to, not including, ``until_ms``."""

    since_ms: int
    until_ms: int

    @classmethod
    def of(cls, change: ListChange) -> "Validity":
        """Of the entries of a change; empty if it removes them."""
        if change.action is Action.REMOVE:
            return NEVER
        since, until = change.valid_from_ms, change.valid_to_ms
        return cls(EARLIEST_MS if since is None else since, LATEST_MS if until is None else until)

    def contains(self, event_time_ms: int) -> bool:
        """Whether the entry is in the list for a transaction of this time."""
        return self.since_ms <= event_time_ms < self.until_ms


NEVER = Validity(0, 0)
