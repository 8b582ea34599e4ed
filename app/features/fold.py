"""The one way from transactions to what is known about them, for the stream, for training and for the daily batch.

Profiles are encoded bytes before and after. In between, customer by customer, the events of a profile are laid
out in one scratch log that stays in the processor's cache, and each transaction is folded in, in order of arrival.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.compiled import compiled
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
"""What became of a transaction: it changed its profile; its profile had applied its offset before; a producer
had sent it before, under another offset, and its profile still remembers."""


class Events(NamedTuple):
    """Transactions in order of arrival, as columns of equal length."""

    customer: Integers
    """Index of the profile."""
    time_ms: Integers
    amount_minor: Integers
    terminal: Integers
    """Digest."""
    transaction: Integers
    """Digest."""
    latitude: Doubles
    """Degrees; NaN where there is no place."""
    longitude: Doubles
    offset: Integers
    """In the source log; ascending for each customer."""


class Folded(NamedTuple):
    """What is known about each transaction as of its own time, and what became of the profiles."""

    profiles: list[bytes]
    features: Doubles
    """Shape (events, features), in the catalog's order; only rows that were applied are written."""
    status: NDArray[np.uint8]
    """APPLIED, ALREADY_APPLIED or REPEATED."""
    late: NDArray[np.bool_]
    """The allowed lateness was exceeded: the windows hold what was still known."""
    first_seen_ms: Integers
    evicted_ms: Integers
    """Time of the newest transaction that the cap had pushed out; windows that reach back to it are saturated."""


def fold(profiles: Sequence[bytes], events: Events, bounds: Bounds, topic_id: int = 0) -> Folded:
    """Fold transactions into the profiles they belong to; b"" is the profile of a new customer.

    ``topic_id`` tells the source log apart from one of the same name before it: offsets count within it.
    Raises StateCorrupt when a profile is not one.
    """
    events = Events(*map(writable, events))
    joined = join(profiles, EMPTY, "a profile")
    plan = _plan(events.customer, joined.starts)
    out = _allocate_output(len(events.customer), plan)
    scratch = Scratch(empty_log(plan.most_events), np.zeros(1, VIEW))
    lengths = _fold_all(joined, events, plan, Rules(bounds, np.uint64(topic_id)), scratch, out)
    if lengths.min(initial=0) < 0:
        raise StateCorrupt("these bytes are no profile of this version")
    return Folded(split(out.words, plan.out_starts[:-1], lengths), *out[1:])


class Rules(NamedTuple):
    """What holds for every event of a call."""

    bounds: Bounds
    topic_id: np.uint64


class Scratch(NamedTuple):
    """One customer's events and one event's windows; used again for the next."""

    log: Log
    windows: NDArray[Any]
    """Of VIEW, shape (1,)."""


class Entry(NamedTuple):
    """A row of Events, as numbers: each array handed to a function costs a count of its references."""

    event: Event
    latitude: float
    longitude: float
    offset: int


class Output(NamedTuple):
    """The words of the profiles, and the columns of Folded."""

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
    """Which events belong to which profile, and where the profiles will stand."""

    order: Integers
    """Events by profile, in order of arrival."""
    firsts: Integers
    """Index in ``order`` of each profile's first event; one more than profiles."""
    out_starts: Integers
    """Word at which each profile's room begins; one more than profiles."""
    most_events: int
    """Of one profile."""


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
    """Fold every profile's events; returns the profiles' lengths in words, -1 for what is no profile."""
    lengths = np.full(len(joined.starts) - 1, -1)
    for i in range(len(lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[plan.out_starts[i] : plan.out_starts[i + 1]]
        if not is_profile(before):
            continue
        after[:HEADER_WORDS] = before[:HEADER_WORDS]
        profile = after[:HEADER_WORDS].view(PROFILE)[0]
        if not unpack(profile, before, scratch.log):
            continue
        for place in range(plan.firsts[i], plan.firsts[i + 1]):
            at = plan.order[place]
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
    """Fold one event, unless it was before; returns what became of it."""
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
    """The profiles of every customer of a history, in memory: 0.2 kB each, and 24 bytes per transaction kept."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._by_customer: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._by_customer)

    def fold(self, customers: Sequence[str], events: Events) -> Folded:
        """As ``fold``; ``events.customer`` are indexes into ``customers``, each of whom is named once."""
        known = [self._by_customer.get(customer, b"") for customer in customers]
        folded = fold(known, events, self._bounds)
        self._by_customer.update(zip(customers, folded.profiles, strict=True))
        return folded
