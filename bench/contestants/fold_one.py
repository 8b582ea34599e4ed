"""The fold of our worker for a single event: the same compiled steps, without the cost of building a chunk.

The worker's function takes columns and costs about 100 µs per call, independent of their length. Calling it for every event
would be an unfair comparison; this function takes a tenth of that.
"""

from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.computation.feature_set import SHIPPED
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.catalog import NAMES, Coverage
from app.features.columns import terminal_digest
from app.features.compiled import compiled
from app.features.state import EMPTY, HEADER_WORDS, PROFILE, WIDE_WORDS, is_profile, pack, unpack
from app.features.vector import TRAVEL_KMH, fill, travel_kmh
from app.features.window import LONGEST_MS, VIEW, Bounds, Event, Log, empty_log, holds, observe
from app.scoring.model import Rows

Words = NDArray[np.int64]

NO_PROFILE, REPEATED = -1, 0
_ANY = Transaction(
    transaction_id="0", customer_id="0", terminal_id="0", event_time=0, amount_minor=0, currency="EUR"
)


class Place(NamedTuple):
    """Position in degrees; NaN when the transaction has none."""

    latitude: float
    longitude: float


class Folded(NamedTuple):
    """The features of one transaction, and the profile after it."""

    profile: bytes
    rows: Rows
    """One row, valid until the next call."""
    degraded: int
    """Index of scorer.DEGRADED."""
    known: list[Coverage]


class OneFold:
    """Folds events one at a time, with buffers that are reused."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._log = empty_log(bounds.max_events + 1)
        self._view = np.zeros(1, VIEW)
        self._words = np.zeros(HEADER_WORDS + WIDE_WORDS * (bounds.max_events + 1), np.int64)
        self._profile = self._words[:HEADER_WORDS].view(PROFILE)
        self._rows = np.full(
            (1, len(NAMES)), nan
        )  # delayed features stay missing, as in our worker without Redis
        # Compile now, so that the first event does not wait.
        self.fold(None, _ANY, 0)

    def fold(self, stored: bytes | None, transaction: Transaction, offset: int) -> Folded | None:
        """Fold a transaction; None when the profile has already applied it. ``stored`` is None for a new customer."""
        before = np.frombuffer(stored or EMPTY, np.int64)
        event = Event(
            transaction.event_time,
            transaction.amount_minor,
            _number(terminal_digest(transaction.terminal_id)),
            _number(digest64(transaction.transaction_id)),
        )
        length = _fold(
            before,
            event,
            _place(transaction),
            offset,
            self._bounds,
            self._log,
            self._view,
            self._words,
            self._rows,
        )
        if length == REPEATED:
            return None
        if length == NO_PROFILE:
            raise ValueError("these bytes are not a profile of this version")
        known = Coverage(int(self._profile[0]["first_seen_ms"]), int(self._profile[0]["evicted_ms"]))
        saturated = known.evicted_ms > event.time_ms - LONGEST_MS
        degraded = int(self._view[0]["late"]) + 2 * saturated + 4
        return Folded(self._words[:length].tobytes(), self._rows, degraded, [known, *SHIPPED.unread])


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "little", signed=True)


def _place(transaction: Transaction) -> Place:
    if transaction.latitude is None or transaction.longitude is None:
        return Place(nan, nan)
    return Place(transaction.latitude, transaction.longitude)


@compiled
def _fold(  # noqa: PLR0913, PLR0917  # machine code takes no objects
    before: Words,
    event: Event,
    place: Place,
    offset: int,
    bounds: Bounds,
    log: Log,
    view: Any,
    words: Words,
    rows: Rows,
) -> int:
    """Return the new length of the profile in 8-byte words, or REPEATED or NO_PROFILE. One source log: no topic ids."""
    if not is_profile(before):
        return NO_PROFILE
    words[:HEADER_WORDS] = before[:HEADER_WORDS]
    profile = words[:HEADER_WORDS].view(PROFILE)[0]
    unpack(profile, before, log)
    if offset <= profile.applied_offset or holds(log, event.id):
        return REPEATED
    observe(profile, log, bounds, event, view[0])
    fill(rows[0], view[0], event)
    rows[0, TRAVEL_KMH] = travel_kmh(profile, event.time_ms, place.latitude, place.longitude)
    if profile.applied == 0 or event.time_ms < profile.first_seen_ms:
        profile.first_seen_ms = event.time_ms
    profile.applied += 1
    profile.applied_offset = offset
    return pack(profile, log, words)
