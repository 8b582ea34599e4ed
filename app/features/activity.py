"""The one way from facts to what is known about the delayed entities, for the stream, for training and for the batch.

Activities are encoded bytes before and after (activity_bytes.py); facts are folded in, entity by entity, in order
of arrival. Whoever keeps the activities feeds transactions and labels; whoever scores asks.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import StateCorrupt
from app.features.activity_bytes import (
    ACTIVITY,
    EMPTY,
    GUARD_WORDS,
    HEADER_WORDS,
    KEPT_HOURS,
    LABEL_WORDS,
    MOST_GUARDS,
    MOST_LABELS,
    NEVER_HOUR,
    NO_HOUR,
    Kept,
    empty_kept,
    is_activity,
    pack,
    unpack,
)
from app.features.compiled import compiled
from app.features.delayed_window import Label, Source, count_transaction, hour_of, is_new, look, take_label
from app.features.entities import DELAY_HOURS, DELAYED_WINDOWS
from app.features.facts import LABEL, QUERY, TRANSACTION, Facts, Integers, queries
from app.features.packed_words import Joined, Words, join, split, writable
from app.features.window import HOUR_MS, NEVER_MS

__all__ = ["COUNTS", "EMPTY", "LABEL", "QUERY", "TRANSACTION", "Facts", "Observed", "observe", "queries"]

COUNTS = 2 * DELAYED_WINDOWS
"""Columns of what is known: transactions of each window, then frauds known of each."""

_ALWAYS_MS = 2**63 - 1


class Observed(NamedTuple):
    """What became of the activities, and what is known at each QUERY; other rows of the columns hold nothing."""

    packed: "Packed"
    counts: NDArray[np.float64]
    """Shape (facts, COUNTS)."""
    first_seen_ms: Integers
    """End of the hour of the entity's first transaction, the end of time before there is one."""
    evicted_ms: Integers
    """End of the newest hour of which something was forgotten; windows that reach back to it are saturated."""
    applied: NDArray[np.bool_]
    """False for what the log of facts, or the source's partition, had told before."""

    @property
    def states(self) -> list[bytes]:
        """The activities as they are now. Cut out when they are asked for: who only queries needs none."""
        return split(*self.packed)


class Packed(NamedTuple):
    """Encoded activities in one room, with gaps between them."""

    words: Words
    starts: Words
    lengths: Words


def observe(states: Sequence[bytes], facts: Facts, topic_id: int = 0) -> Observed:
    """Fold facts into the activities they are about; b"" is the activity of an entity never seen.

    ``topic_id`` tells the log of facts apart from one of the same name before it: offsets count within it.
    Raises StateCorrupt when a state is no activity.
    """
    facts = Facts(*map(writable, facts))
    joined = join(states, EMPTY, "an activity")
    plan = _plan(facts, joined.starts)
    out = _allocate_output(len(facts.entity), plan)
    scratch = Scratch(empty_kept(), np.zeros(COUNTS), np.zeros(1, np.int64))
    lengths = _observe_all(joined, facts, plan, np.uint64(topic_id), scratch, out)
    if lengths.min(initial=0) < 0:
        raise StateCorrupt("these bytes are no activity of this version")
    return Observed(Packed(out.words, plan.out_starts[:-1], lengths), *out[1:])


class Scratch(NamedTuple):
    """One activity, and the last answer about it; used again for the next."""

    kept: Kept
    answer: NDArray[np.float64]
    asked: Integers
    """The hour of the answer, NEVER_HOUR where it no longer holds; shape (1,)."""


class Fact(NamedTuple):
    """A row of Facts, as numbers: each array handed to a function costs a count of its references."""

    is_label: bool
    told: Label
    """Of a transaction only digest and hour are meant."""
    source: Source
    offset: int


class Output(NamedTuple):
    """The words of the activities, and the columns of Observed."""

    words: Words
    counts: NDArray[np.float64]
    first_seen_ms: Integers
    evicted_ms: Integers
    applied: NDArray[np.bool_]


def _allocate_output(count: int, plan: "Plan") -> Output:
    return Output(
        np.empty(plan.out_starts[-1], np.int64),
        np.full((count, COUNTS), np.nan),
        np.zeros(count, np.int64),
        np.zeros(count, np.int64),
        np.zeros(count, np.bool_),
    )


class Plan(NamedTuple):
    """Which facts belong to which activity, and where the activities will stand."""

    order: Integers
    """Facts by activity, in order of arrival."""
    firsts: Integers
    """Index in ``order`` of each activity's first fact; one more than activities."""
    out_starts: Words
    """Word at which each activity's room begins; one more than activities."""


@compiled
def _plan(facts: Facts, starts: Words) -> Plan:
    activities = len(starts) - 1
    firsts, out_starts = np.zeros(activities + 1, np.int64), np.zeros(activities + 1, np.int64)
    grown = np.zeros(activities, np.int64)
    most = HEADER_WORDS + KEPT_HOURS + GUARD_WORDS * MOST_GUARDS + LABEL_WORDS * MOST_LABELS
    for i, owner in enumerate(facts.entity):
        firsts[owner + 1] += 1
        grown[owner] += (1 + GUARD_WORDS) * (facts.kind[i] & TRANSACTION != 0) + LABEL_WORDS * (
            facts.kind[i] & LABEL != 0
        )
    for i in range(activities):
        out_starts[i + 1] = out_starts[i] + min(starts[i + 1] - starts[i] + grown[i], most)
        firsts[i + 1] += firsts[i]
    order, free = np.empty(len(facts.entity), np.int64), firsts.copy()
    for at, owner in enumerate(facts.entity):
        order[free[owner]] = at
        free[owner] += 1
    return Plan(order, firsts, out_starts)


@compiled
def _observe_all(
    joined: Joined, facts: Facts, plan: Plan, topic_id: np.uint64, scratch: Scratch, out: Output
) -> Words:
    """Fold the facts of every activity; returns the activities' lengths in words, -1 for what is none."""
    lengths = np.full(len(joined.starts) - 1, -1)
    for i in range(len(lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[plan.out_starts[i] : plan.out_starts[i + 1]]
        if not is_activity(before):
            continue
        after[:HEADER_WORDS] = before[:HEADER_WORDS]
        activity = after[:HEADER_WORDS].view(ACTIVITY)[0]
        if not unpack(activity, before, scratch.kept):
            continue
        scratch.asked[0] = NEVER_HOUR
        for place in range(plan.firsts[i], plan.firsts[i + 1]):
            at = plan.order[place]
            if facts.kind[at] & QUERY != 0:
                _answer(activity, facts.time_ms[at] // HOUR_MS, at, scratch, out)
            if facts.kind[at] & (TRANSACTION | LABEL) != 0:
                fact = Fact(
                    facts.kind[at] & LABEL != 0,
                    Label(
                        facts.transaction[at],
                        hour_of(facts.time_ms[at]),
                        facts.reported_ms[at],
                        facts.is_fraud[at],
                    ),
                    Source(facts.source_topic_id[at], facts.source_partition[at], facts.source_offset[at]),
                    facts.offset[at],
                )
                out.applied[at] = _apply(activity, fact, topic_id, scratch)
        lengths[i] = pack(activity, scratch.kept, after)
    return lengths


@compiled
def _answer(activity: Any, hour: int, at: int, scratch: Scratch, out: Output) -> None:
    """Write what is known in an hour: the last answer again where that was of it."""
    if hour != scratch.asked[0]:
        look(activity, scratch.kept, hour, scratch.answer)
        scratch.asked[0] = hour
    for column in range(COUNTS):  # a slice of so few costs three times as much
        out.counts[at, column] = scratch.answer[column]
    first, evicted = activity.first_hour, max(activity.evicted_hour, activity.newest_hour - KEPT_HOURS)
    out.first_seen_ms[at] = _ALWAYS_MS if first == NO_HOUR else first * HOUR_MS
    out.evicted_ms[at] = NEVER_MS if evicted == NEVER_HOUR else evicted * HOUR_MS


@compiled
def _apply(activity: Any, fact: Fact, topic_id: np.uint64, scratch: Scratch) -> bool:
    """Fold one fact; False where it was folded before."""
    if activity.topic_id == topic_id and fact.offset <= activity.applied_offset:
        return False
    activity.topic_id, activity.applied_offset = topic_id, fact.offset
    kept, hour = scratch.kept, fact.told.hour
    if fact.is_label:
        take_label(activity, kept, fact.told)
        scratch.asked[0] = NEVER_HOUR
        return True
    if not is_new(activity, kept, fact.source):
        return False
    if hour <= scratch.asked[0] - DELAY_HOURS or hour > activity.newest_hour:
        scratch.asked[0] = NEVER_HOUR
    count_transaction(activity, kept, hour)
    return True
