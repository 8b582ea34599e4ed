"""Folds events into profiles and computes the windowed features of each as of its own time.

Profiles are encoded bytes before and after (layout.py). In between, customer by customer, the events of a profile are
unpacked to one scratch log that stays in the processor's cache, and each event is folded in order of arrival. The windows of
every event, late or not, are recounted from the log.
"""

from collections.abc import Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.compiled import borrowing
from app.features.fold import ALREADY_APPLIED, APPLIED, REPEATED, Folded
from app.features.packed_words import Joined, join, split, writable
from app.features.vector import travel_kmh
from app.features.window import Bounds
from app.profiles.aggregates import Integers
from app.profiles.compute import Position, Scratch, allocate_scratch, compute
from app.profiles.event_log import behind, holds, insert, previous_ms
from app.profiles.kept import IDS, TIMES, Kept
from app.profiles.layout import HEADER, HEADER_WORDS, empty, most_words, pack, stored_events, unpack
from app.profiles.plan import Plan
from app.profiles.program import Program

Doubles = NDArray[np.float64]


class Inputs(NamedTuple):
    """Events in order of arrival, as columns of equal length (inputs.py)."""

    customer: Integers
    """Index of the profile."""
    rows: Integers
    """Shape (events, rows of the log): time, id, flags and columns of each event."""
    latitude: Doubles
    """Degrees; NaN without a location."""
    longitude: Doubles
    offset: Integers
    """Offset in the source log; ascends for each customer."""


class Rules(NamedTuple):
    """Parameters that hold for every event of a call."""

    allowed_lateness_ms: int
    max_events: int
    horizon_ms: int
    """Width of the widest window."""
    topic_id: np.uint64
    program: Program


class Groups(NamedTuple):
    """The events of each profile, and the position of each profile in the output."""

    order: Integers
    """Indexes of events, grouped by profile, in order of arrival."""
    firsts: Integers
    """Index in ``order`` of each profile's first event, and at last the number of events."""
    stored: Integers
    """Events of each profile before; -1 for bytes that are no profile of the layout."""
    out_starts: Integers
    """Index in the output words at which each profile begins, and at last the number of words."""
    most_events: int
    """Most events of one profile, old and new."""


class Output(NamedTuple):
    """Output buffers: the words of the profiles, and the columns of Folded."""

    words: Integers
    lengths: Integers
    """Words of each profile; -1 for bytes that are none."""
    features: Doubles
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    first_seen_ms: Integers
    evicted_ms: Integers


def fold(plan: Plan, profiles: Sequence[bytes], inputs: Inputs, bounds: Bounds, topic_id: int = 0) -> Folded:
    """Fold events into the profiles of their customers; b"" is the profile of a new customer.

    ``features`` has one column for each feature of the plan; those that need no window are NaN (current.py). ``topic_id``
    identifies the source log: offsets are only compared under the same id. Raises StateCorrupt if a value is not a profile of
    this layout.
    """
    inputs = Inputs(*map(writable, inputs))
    joined = join(profiles, empty(plan.kept), "a profile")
    groups = group(inputs.customer, joined, plan.kept)
    out = _allocate_output(len(inputs.customer), len(plan.features), groups)
    rules = Rules(
        bounds.allowed_lateness_ms, bounds.max_events, plan.horizon_ms, np.uint64(topic_id), plan.program
    )
    scratch = allocate_scratch(plan.program, plan.kept.rows, groups.most_events)
    _fold_all(joined, inputs, groups, rules, scratch, out)
    if out.lengths.min(initial=0) < 0:
        raise StateCorrupt("these bytes are not a profile of this version and layout")
    return Folded(split(out.words, groups.out_starts[:-1], out.lengths), *out[2:])


def _allocate_output(count: int, width: int, groups: Groups) -> Output:
    return Output(
        np.empty(groups.out_starts[-1], np.int64),
        np.full(len(groups.stored), -1),
        np.full((count, width), nan),
        np.empty(count, np.uint8),
        np.zeros(count, np.bool_),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )


def group(customer: Integers, joined: Joined, kept: Kept) -> Groups:
    """Group events by profile; ``customer`` has the index of each one's profile."""
    profiles = len(joined.starts) - 1
    firsts, out_starts, stored = (np.zeros(profiles + more, np.int64) for more in (1, 1, 0))
    order = np.empty(len(customer), np.int64)
    groups = Groups(order, firsts, stored, out_starts, 0)
    most_events = _group(customer, joined, kept.rows, kept.digest, groups)
    _sort(customer, firsts.copy(), order)
    return groups._replace(most_events=most_events)


@borrowing
def _group(customer: Integers, joined: Joined, rows: int, layout: int, groups: Groups) -> int:
    """Fill the groups but for their order. Returns the most events of one profile, at least 1."""
    firsts, most_events = groups.firsts, 1
    for owner in customer:
        firsts[owner + 1] += 1
    for i in range(len(groups.stored)):
        words = joined.words[joined.starts[i] : joined.starts[i + 1]]
        groups.stored[i] = stored_events(words, rows, layout)
        events = max(groups.stored[i], 0) + firsts[i + 1]
        most_events = max(most_events, events)
        groups.out_starts[i + 1] = groups.out_starts[i] + most_words(rows, events)
        firsts[i + 1] += firsts[i]
    return most_events


@borrowing
def _sort(customer: Integers, free: Integers, order: Integers) -> None:
    """Order the events by profile; ``free`` has the next index of each profile."""
    for at in range(len(customer)):
        owner = customer[at]
        order[free[owner]] = at
        free[owner] += 1


@borrowing
def _fold_all(
    joined: Joined, inputs: Inputs, groups: Groups, rules: Rules, scratch: Scratch, out: Output
) -> None:
    """Fold the events of every profile."""
    for i in range(len(out.lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[groups.out_starts[i] : groups.out_starts[i + 1]]
        if groups.stored[i] < 0 or not unpack(before, groups.stored[i], scratch.log, scratch.span):
            continue
        for word in range(HEADER_WORDS):
            after[word] = before[word]
        header = after[:HEADER_WORDS].view(HEADER)[0]
        for position in range(groups.firsts[i], groups.firsts[i + 1]):
            at = groups.order[position]
            out.status[at] = _fold_one(header, inputs, at, rules, scratch, out)
            if out.status[at] == APPLIED:
                out.first_seen_ms[at], out.evicted_ms[at] = header.first_seen_ms, header.evicted_ms
        out.lengths[i] = pack(header, scratch.log, scratch.span, after)


@borrowing
def _fold_one(header: Any, inputs: Inputs, at: int, rules: Rules, scratch: Scratch, out: Output) -> int:
    """Fold one event, unless it is a repeat. Returns its status.

    The offset is checked first, since it recognises every record that is read again; the id recognises a repeat that a
    producer wrote at another offset, as long as the profile holds the event.
    """
    event, offset = inputs.rows[at], inputs.offset[at]
    if header.topic_id == rules.topic_id and offset <= header.applied_offset:
        return ALREADY_APPLIED
    log, span, time_ms = scratch.log, scratch.span, event[TIMES]
    if holds(log, span, event[IDS]):
        return REPEATED
    first, end = span[0], span[1]
    late_ms = log[TIMES, end - 1] - time_ms if end > first else 0
    index = end if late_ms <= 0 else behind(log[TIMES], first, end, time_ms)
    before_ms = previous_ms(log, span, index)  # also if the cap evicts that event
    if late_ms <= 0:
        _evict_excess(header, log, span, rules.max_events - 1)
    out.late[at] = late_ms > rules.allowed_lateness_ms
    compute(event, Position(span[0], index, before_ms), rules.program, scratch, out.features[at])
    if late_ms <= 0 or late_ms < rules.horizon_ms + rules.allowed_lateness_ms:
        insert(log, span, index, event)
        _evict_excess(header, log, span, rules.max_events)
    _evict_expired(log, span, log[TIMES, span[1] - 1] - rules.horizon_ms - rules.allowed_lateness_ms)
    if rules.program.travel >= 0:
        out.features[at, rules.program.travel] = travel_kmh(
            header, time_ms, inputs.latitude[at], inputs.longitude[at]
        )
    if header.applied == 0 or time_ms < header.first_seen_ms:
        header.first_seen_ms = time_ms
    header.applied += 1
    header.topic_id, header.applied_offset = rules.topic_id, offset
    return APPLIED


@borrowing
def _evict_expired(log: Integers, span: Integers, horizon_ms: int) -> None:
    """Evict the events up to a time; the newest event, which is later, ends the loop."""
    first = span[0]
    while log[TIMES, first] <= horizon_ms:
        first += 1
    span[0] = first


@borrowing
def _evict_excess(header: Any, log: Integers, span: Integers, max_events: int) -> None:
    """Evict the oldest events beyond the cap, also from the windows that still contain them."""
    excess = span[1] - span[0] - max_events
    if excess > 0:
        span[0] += excess
        header.evicted_ms = max(header.evicted_ms, log[TIMES, span[0] - 1])
