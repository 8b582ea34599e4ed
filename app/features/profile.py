"""The customer's profile: state folded from their transactions, one per customer."""

from functools import lru_cache
from math import nan
from typing import NamedTuple

from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.geo import distance_km
from app.features.window import NEVER_MS, Bounds, Sums, WindowLog

_HOUR_SECONDS = 3600
_SHORTEST_TRIP_SECONDS = 1.0

terminal_digest = lru_cache(maxsize=1 << 16)(digest64)
"""Terminals repeat; their digests are kept."""


class Place(NamedTuple):
    """Where and when the customer was last seen."""

    time_ms: int
    latitude: float
    longitude: float


class Observation(NamedTuple):
    """What the profile says about one transaction as of its own time, the transaction included."""

    sums: tuple[Sums, ...]
    """Per window of ``WIDTHS_MS``."""
    seconds_since_last: float
    """NaN for the first transaction."""
    same_terminal: int
    """Transactions at this terminal in the longest window."""
    travel_kmh: float
    """NaN where this transaction or the one before has no place."""
    late: bool
    """The allowed lateness was exceeded: the windows hold what was still known."""
    first_seen_ms: int
    evicted_ms: int
    """Time of the newest transaction that the cap pushed out; windows that reach back to it are saturated."""


class Profile:
    """Everything kept about one customer. ``applied_offset`` guards against replays of the source log."""

    __slots__ = ("applied", "applied_offset", "first_seen_ms", "incarnation", "log", "place")

    def __init__(self, bounds: Bounds) -> None:
        self.log = WindowLog(bounds)
        self.incarnation = 0
        self.applied_offset = -1
        self.applied = 0
        self.first_seen_ms = NEVER_MS
        self.place: Place | None = None

    def repeats(self, event_id: bytes) -> bool:
        """True when a producer sent this transaction before, under another offset, and it is still remembered."""
        return self.log.holds(event_id)

    def observe(self, transaction: Transaction, event_id: bytes) -> Observation:
        """Fold one transaction in and say what is known as of its own time."""
        time_ms, log = transaction.event_time, self.log
        if self.applied == 0 or time_ms < self.first_seen_ms:
            self.first_seen_ms = time_ms
        view = log.observe(
            time_ms, transaction.amount_minor, terminal_digest(transaction.terminal_id), event_id
        )
        self.applied += 1
        return Observation(
            view.sums,
            nan if view.previous_ms is None else (time_ms - view.previous_ms) / 1000,
            view.same_terminal,
            self._travel_kmh(transaction),
            view.late,
            self.first_seen_ms,
            log.evicted_ms,
        )

    def _travel_kmh(self, transaction: Transaction) -> float:
        """Speed needed from the last place; a trip takes a second at least, so the speed is finite."""
        latitude, longitude, last = transaction.latitude, transaction.longitude, self.place
        if latitude is None or longitude is None:
            return nan
        if last is not None and transaction.event_time < last.time_ms:
            return nan
        self.place = Place(transaction.event_time, latitude, longitude)
        if last is None:
            return nan
        seconds = max((transaction.event_time - last.time_ms) / 1000, _SHORTEST_TRIP_SECONDS)
        return distance_km(last.latitude, last.longitude, latitude, longitude) * _HOUR_SECONDS / seconds
