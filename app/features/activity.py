"""Folds facts into activities, the states of delayed entities. Used by the stream, training and the batch.

Activities are encoded bytes before and after (activity_bytes.py). Facts are folded entity by entity, in order of arrival.
Workers of the role ``entities`` fold transactions and labels; the scoring workers only send queries.
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
from app.features.copying import copy
from app.features.delayed_window import (
    Label,
    Source,
    add_label,
    advance_guard,
    count_transaction,
    count_windows,
    hour_of,
)
from app.features.entities import DELAY_HOURS, DELAYED_WINDOWS
from app.features.facts import LABEL, QUERY, TRANSACTION, Facts, Integers, queries
from app.features.packed_words import WORD_BYTES, Joined, Words, join, split, writable
from app.features.window import HOUR_MS, NEVER_MS

__all__ = [
    "COUNTS",
    "EMPTY",
    "LABEL",
    "QUERY",
    "TRANSACTION",
    "Facts",
    "Observed",
    "observe",
    "observe_each",
    "queries",
]

COUNTS = 2 * DELAYED_WINDOWS
"""Columns of counts: transactions of each window, then known frauds of each window."""

_ALWAYS_MS = 2**63 - 1
_NO_ACTIVITY = bytes(WORD_BYTES)
"""Too short for one. In place of bytes that are no words, which cannot be joined with others."""


class Observed(NamedTuple):
    """The activities after the facts, and the counts at each QUERY. Rows of other facts are not meaningful."""

    packed: "Packed"
    counts: NDArray[np.float64]
    """Shape (facts, COUNTS); NaN for facts that are no QUERY."""
    first_seen_ms: Integers
    """Shape (facts,): end of the hour of the entity's first transaction; 2**63 - 1 before there is one."""
    evicted_ms: Integers
    """Shape (facts,): end of the newest hour from which something was evicted. Windows that reach back to it are saturated."""
    applied: NDArray[np.bool_]
    """Shape (facts,): False for a fact that was folded before, by its offset in the log of facts or in the source partition."""
    corrupt: NDArray[np.bool_]
    """Shape (activities,): True for bytes that are no activity; none of its facts is applied or answered."""

    @property
    def states(self) -> list[bytes]:
        """The encoded activities after the facts, b"" for a corrupt one. Copied only here: a caller that only queries does
        not need them.
        """
        return split(*self.packed)


class Packed(NamedTuple):
    """Encoded activities in one array, with gaps between them."""

    words: Words
    starts: Words
    lengths: Words


def observe(states: Sequence[bytes], facts: Facts, topic_id: int = 0) -> Observed:
    """As ``observe_each``. Raises StateCorrupt if a state is not an activity of this version."""
    observed = observe_each(states, facts, topic_id)
    if observed.corrupt.any():
        raise StateCorrupt("these bytes are not an activity of this version")
    return observed


def observe_each(states: Sequence[bytes], facts: Facts, topic_id: int = 0) -> Observed:
    """Fold facts into the activities of their entities; b"" is the activity of an entity that was never seen.

    ``topic_id`` identifies the log of facts. A topic that is deleted and created again starts with offset 0 again, so offsets
    are only compared under the same id. A state that is not an activity of this version affects its own facts only.
    """
    facts = Facts(*map(writable, facts))
    joined = join(
        [state if len(state) % WORD_BYTES == 0 else _NO_ACTIVITY for state in states], EMPTY, "an activity"
    )
    plan = _plan(facts, joined.starts)
    out = _allocate_output(len(facts.entity), plan)
    scratch = Scratch(empty_kept(), np.zeros(COUNTS), np.zeros(1, np.int64))
    lengths = _observe_all(joined, facts, plan, np.uint64(topic_id), scratch, out)
    corrupt = lengths < 0
    return Observed(Packed(out.words, plan.out_starts[:-1], np.maximum(lengths, 0)), *out[1:], corrupt)


class Scratch(NamedTuple):
    """Buffers for one activity and its latest counts, reused for the next activity."""

    kept: Kept
    answer: NDArray[np.float64]
    asked: Integers
    """Shape (1,): the hour of ``answer``; NEVER_HOUR if ``answer`` is out of date."""


class Fact(NamedTuple):
    """A row of Facts as numbers, because each array that is passed to a compiled function costs reference counting."""

    is_label: bool
    label: Label
    """For a transaction, only its digest and its hour are meaningful."""
    source: Source
    offset: int


class Output(NamedTuple):
    """Output buffers: the words of the activities, and the columns of Observed."""

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
    """The facts of each activity, and the position of each activity in the output."""

    order: Integers
    """Indexes of facts, grouped by activity, in order of arrival."""
    firsts: Integers
    """Index in ``order`` of each activity's first fact, and at last the number of facts."""
    out_starts: Words
    """Index in the output words at which each activity begins, and at last the number of words."""


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
    """Fold the facts of every activity. Returns the lengths of the activities in words, -1 for bytes that are not one."""
    lengths = np.full(len(joined.starts) - 1, -1)
    for i in range(len(lengths)):
        before = joined.words[joined.starts[i] : joined.starts[i + 1]]
        after = out.words[plan.out_starts[i] : plan.out_starts[i + 1]]
        if not is_activity(before):
            continue
        copy(before[:HEADER_WORDS], after[:HEADER_WORDS])
        activity = after[:HEADER_WORDS].view(ACTIVITY)[0]
        if not unpack(activity, before, scratch.kept):
            continue
        scratch.asked[0] = NEVER_HOUR
        for position in range(plan.firsts[i], plan.firsts[i + 1]):
            at = plan.order[position]
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
    """Write the counts of an hour to row ``at``; counts them only if the latest counts are not those of this hour."""
    if hour != scratch.asked[0]:
        count_windows(activity, scratch.kept, hour, scratch.answer)
        scratch.asked[0] = hour
    for column in range(COUNTS):  # a loop is three times as fast as a slice of so few numbers
        out.counts[at, column] = scratch.answer[column]
    first, evicted = activity.first_hour, max(activity.evicted_hour, activity.newest_hour - KEPT_HOURS)
    out.first_seen_ms[at] = _ALWAYS_MS if first == NO_HOUR else first * HOUR_MS
    out.evicted_ms[at] = NEVER_MS if evicted == NEVER_HOUR else evicted * HOUR_MS


@compiled
def _apply(activity: Any, fact: Fact, topic_id: np.uint64, scratch: Scratch) -> bool:
    """Fold one fact. Returns False if it was folded before."""
    if activity.topic_id == topic_id and fact.offset <= activity.applied_offset:
        return False
    activity.topic_id, activity.applied_offset = topic_id, fact.offset
    kept, hour = scratch.kept, fact.label.hour
    if fact.is_label:
        add_label(activity, kept, fact.label)
        scratch.asked[0] = NEVER_HOUR
        return True
    if not advance_guard(activity, kept, fact.source):
        return False
    # The latest counts stay valid unless the transaction lies in their windows, or is so new that it evicts old hours.
    if hour <= scratch.asked[0] - DELAY_HOURS or hour > activity.newest_hour:
        scratch.asked[0] = NEVER_HOUR
    count_transaction(activity, kept, hour)
    return True
