"""Folds transactions into profiles and computes their features. Used by the stream, training and the daily batch.

Profiles are encoded bytes before and after (state.py). In between, customer by customer, the events of a profile are
unpacked to one scratch log that stays in the processor's cache, and each transaction is folded in order of arrival.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.compiled import compiled
from app.features.copying import copy
from app.features.packed_words import Joined, join, split, writable
from app.features.state import (
    EMPTY,
    HEADER_WORDS,
    NARROW_WORDS,
    PROFILE,
    WIDE_WORDS,
    is_profile,
    pack,
    unpack,
)
from app.features.vector import TRAVEL_KMH, WIDTH, Row, fill, travel_kmh
from app.features.window import VIEW, Bounds, Event, Log, empty_log, holds, observe

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]

APPLIED, ALREADY_APPLIED, REPEATED = 1, 2, 3
"""Status of a transaction: APPLIED changed its profile; the profile had applied the offset of an ALREADY_APPLIED one
before; a REPEATED one has an id that the profile still holds from another offset."""


class Events(NamedTuple):
    """Transactions in order of arrival, as columns of equal length."""

    customer: Integers
    """Index of the profile."""
    time_ms: Integers
    amount_minor: Integers
    terminal: Integers
    """Digest of the terminal id (``identifiers.digest64``)."""
    transaction: Integers
    """Digest of the transaction id."""
    latitude: Doubles
    """Degrees; NaN without a location."""
    longitude: Doubles
    """Degrees; NaN without a location."""
    offset: Integers
    """Offset in the source log; ascends for each customer."""


class Folded(NamedTuple):
    """Features and status of each transaction as of its own time, and the profiles after all transactions."""

    profiles: list[bytes]
    features: Doubles
    """Shape (events, vector.WIDTH), in the catalog's order; only rows with the status APPLIED are written."""
    status: NDArray[np.uint8]
    """APPLIED, ALREADY_APPLIED or REPEATED."""
    late: NDArray[np.bool_]
    """The allowed lateness was exceeded: events of the windows may have been evicted."""
    first_seen_ms: Integers
    """Event time of the customer's earliest transaction so far."""
    evicted_ms: Integers
    """Event time of the newest transaction evicted by the cap; windows that reach back to it are saturated."""


def fold(profiles: Sequence[bytes], events: Events, bounds: Bounds, topic_id: int = 0) -> Folded:
    """Fold transactions into the profiles of their customers; b"" is the profile of a new customer.

    ``topic_id`` identifies the source log. A topic that is deleted and created again starts with offset 0 again, so offsets
    are only compared under the same id. Raises StateCorrupt if a value is not a profile of this version.
    """
    events = Events(*map(writable, events))
    joined = join(profiles, EMPTY, "a profile")
    plan = _plan(events.customer, joined.starts)
    out = _allocate_output(len(events.customer), plan)
    scratch = Scratch(empty_log(plan.most_events), np.zeros(1, VIEW))
    lengths = _fold_all(joined, events, plan, Rules(bounds, np.uint64(topic_id)), scratch, out)
    if lengths.min(initial=0) < 0:
        raise StateCorrupt("these bytes are not a profile of this version")
    return Folded(split(out.words, plan.out_starts[:-1], lengths), *out[1:])


class Rules(NamedTuple):
    """Parameters that hold for every event of a call."""

    bounds: Bounds
    topic_id: np.uint64


class Scratch(NamedTuple):
    """Buffers for one customer's events and one event's windows, reused for the next."""

    log: Log
    windows: NDArray[Any]
    """Records of VIEW, shape (1,)."""


class Entry(NamedTuple):
    """A row of Events as numbers, because each array that is passed to a compiled function costs reference counting."""

    event: Event
    latitude: float
    longitude: float
    offset: int


class Output(NamedTuple):
    """Output buffers: the words of the profiles, and the columns of Folded."""

    words: Integers
    features: Doubles
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    first_seen_ms: Integers
    evicted_ms: Integers


def _allocate_output(count: int, plan: "Plan") -> Output:
    return Output(
        np.empty(plan.out_starts[-1], np.int64),
        np.empty((count, WIDTH)),
        np.empty(count, np.uint8),
        np.zeros(count, np.bool_),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )


class Plan(NamedTuple):
    """The events of each profile, and the position of each profile in the output."""

    order: Integers
    """Indexes of events, grouped by profile, in order of arrival."""
    firsts: Integers
    """Index in ``order`` of each profile's first event, and at last the number of events."""
    out_starts: Integers
    """Index in the output words at which each profile begins, and at last the number of words."""
    most_events: int
    """Most events of one profile, old and new."""


@compiled
def _plan(customer: Integers, starts: Integers) -> Plan:
    profiles = len(starts) - 1
    firsts, out_starts = np.zeros(profiles + 1, np.int64), np.zeros(profiles + 1, np.int64)
    for owner in customer:
        firsts[owner + 1] += 1
    most_events = 0
    for i in range(profiles):
        kept = (starts[i + 1] - starts[i] - HEADER_WORDS) // NARROW_WORDS
        events = max(kept, 0) + firsts[i + 1]
        most_events = max(most_events, events)
        out_starts[i + 1] = out_starts[i] + HEADER_WORDS + WIDE_WORDS * events
        firsts[i + 1] += firsts[i]
    order, free = np.empty(len(customer), np.int64), firsts.copy()
    for at, owner in enumerate(customer):
        order[free[owner]] = at
        free[owner] += 1
    return Plan(order, firsts, out_starts, most_events)


@compiled
def _fold_all(
    joined: Joined, events: Events, plan: Plan, rules: Rules, scratch: Scratch, out: Output
) -> Integers:
    """Fold the events of every profile. Returns the lengths of the profiles in words, -1 for bytes that are not one."""
    lengths = np.full(len(joined.starts) - 1, -1)
    for i in range(len(lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[plan.out_starts[i] : plan.out_starts[i + 1]]
        if not is_profile(before):
            continue
        copy(before[:HEADER_WORDS], after[:HEADER_WORDS])
        profile = after[:HEADER_WORDS].view(PROFILE)[0]
        if not unpack(profile, before, scratch.log):
            continue
        for position in range(plan.firsts[i], plan.firsts[i + 1]):
            at = plan.order[position]
            entry = Entry(
                Event(
                    events.time_ms[at], events.amount_minor[at], events.terminal[at], events.transaction[at]
                ),
                events.latitude[at],
                events.longitude[at],
                events.offset[at],
            )
            out.status[at] = _fold_one(profile, entry, rules, scratch, out.features[at])
            if out.status[at] == APPLIED:
                out.late[at] = scratch.windows[0].late != 0
                out.first_seen_ms[at], out.evicted_ms[at] = profile.first_seen_ms, profile.evicted_ms
        lengths[i] = pack(profile, scratch.log, after)
    return lengths


@compiled
def _fold_one(profile: Any, entry: Entry, rules: Rules, scratch: Scratch, features: Row) -> int:
    """Fold one event, unless it is a repeat. Returns its status.

    The offset is checked first, since it recognises every record that is read again; the id recognises a repeat that a
    producer wrote at another offset, as long as the profile holds the event.
    """
    event, log, view = entry.event, scratch.log, scratch.windows[0]
    if profile.topic_id == rules.topic_id and entry.offset <= profile.applied_offset:
        return ALREADY_APPLIED
    if holds(log, event.id):
        return REPEATED
    observe(profile, log, rules.bounds, event, view)
    fill(features, view, event)
    features[TRAVEL_KMH] = travel_kmh(profile, event.time_ms, entry.latitude, entry.longitude)
    if profile.applied == 0 or event.time_ms < profile.first_seen_ms:
        profile.first_seen_ms = event.time_ms
    profile.applied += 1
    profile.topic_id, profile.applied_offset = rules.topic_id, entry.offset
    return APPLIED


class Profiles:
    """The profiles of all customers of a history, in memory: 0.2 kB each, and 24 bytes for each kept transaction."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._by_customer: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._by_customer)

    def fold(self, customers: Sequence[str], events: Events) -> Folded:
        """Fold as ``fold`` does; ``events.customer`` are indexes of ``customers``, which has no repeats."""
        before = [self._by_customer.get(customer, b"") for customer in customers]
        folded = fold(before, events, self._bounds)
        self._by_customer.update(zip(customers, folded.profiles, strict=True))
        return folded
