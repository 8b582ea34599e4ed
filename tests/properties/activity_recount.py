"""Counts of an entity computed from the definition in plain Python, to compare with the compiled fold."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from app.features.activity import LABEL, QUERY, TRANSACTION, Facts, Observed, observe
from tests.activity_format import NEVER_HOUR, NO_HOUR, Guard, StoredActivity, StoredLabel, write_activity

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WIDTHS_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
KEPT_HOURS = 44 * 24
MOST_GUARDS, MOST_LABELS = 1024, 4096
START_MS = 1_522_540_800_000
LOG = 77
"""Topic id of the facts topic."""
MOST_FACTS = 60


class Fact(NamedTuple):
    """One fact as it arrives; in the order of the columns of ``Facts``."""

    entity: int
    kind: int
    time_ms: int
    transaction: int = 0
    reported_ms: int = 0
    is_fraud: bool = False
    source_topic_id: int = 0
    source_partition: int = 0
    source_offset: int = 0
    offset: int = 0


class Answer(NamedTuple):
    """Transactions and known frauds per window at one time."""

    counts: list[int]
    frauds: list[int]

    @property
    def row(self) -> list[int]:
        return self.counts + self.frauds


def ceil_hour(time_ms: int) -> int:
    whole, rest = divmod(time_ms, HOUR_MS)
    return whole + (rest > 0)


def recount(before: Sequence[Fact], time_ms: int) -> Answer:
    """Count from all earlier facts of one entity, each transaction once, by the definition."""
    now_ms = time_ms // HOUR_MS * HOUR_MS
    end_ms = (time_ms - 7 * DAY_MS) // HOUR_MS * HOUR_MS
    verdicts = [
        verdict(before, transaction, now_ms)
        for transaction in {f.transaction for f in before if f.kind & LABEL}
    ]
    counts, frauds = [], []
    for width_ms in WIDTHS_MS:
        inside = range(end_ms - width_ms + 1, end_ms + 1)
        counts.append(sum(f.time_ms in inside for f in before if f.kind & TRANSACTION))
        frauds.append(sum(v.is_fraud and v.time_ms in inside for v in verdicts if v is not None))
    return Answer(counts, frauds)


def verdict(before: Sequence[Fact], transaction: int, now_ms: int) -> Fact | None:
    """The label that counts: the last one reported up to now. Of equal report times, the one that arrived last; repeats of
    an earlier label do not count.
    """
    known = list[Fact]()
    for fact in before:
        of_it = fact.kind & LABEL and fact.transaction == transaction and fact.reported_ms <= now_ms
        if of_it and report(fact) not in map(report, known):
            known.append(fact)
    return max(reversed(known), key=lambda fact: fact.reported_ms, default=None)


def report(fact: Fact) -> tuple[int, int, int, bool]:
    return fact.transaction, fact.reported_ms, ceil_hour(fact.time_ms), fact.is_fraud


class NaiveActivity:
    """One entity's activity as plain lists, with the documented eviction."""

    def __init__(self) -> None:
        self.hours: dict[int, int] = {}
        self.guards: list[Guard] = []
        self.labels: list[StoredLabel] = []
        self.newest, self.first, self.evicted = NEVER_HOUR, NO_HOUR, NEVER_HOUR
        self.applied_offset = -1
        self.topic_id = 0

    def fold(self, fact: Fact) -> bool:
        """Fold a fact; return whether it is new."""
        if fact.offset <= self.applied_offset:
            return False
        self.topic_id, self.applied_offset = LOG, fact.offset
        return self._label(fact) if fact.kind & LABEL else self._transaction(fact)

    def _transaction(self, fact: Fact) -> bool:
        source = (fact.source_topic_id, fact.source_partition)
        index = next((i for i, guard in enumerate(self.guards) if guard[:2] == source), None)
        if index is None:
            self.guards = [*self.guards, Guard(*source, fact.source_offset)][-MOST_GUARDS:]
        elif fact.source_offset <= self.guards[index].offset:
            return False
        else:
            self.guards[index] = Guard(*source, fact.source_offset)
        hour = ceil_hour(fact.time_ms)
        self.first, self.newest = min(self.first, hour), max(self.newest, hour)
        self.hours[hour] = self.hours.get(hour, 0) + 1
        oldest = self.newest - KEPT_HOURS
        self.hours = {hour: count for hour, count in self.hours.items() if hour > oldest}
        self.labels = [label for label in self.labels if label.hour > oldest]
        return True

    def _label(self, fact: Fact) -> bool:
        label = StoredLabel(fact.transaction, fact.reported_ms, ceil_hour(fact.time_ms), fact.is_fraud)
        if label in self.labels or label.hour <= self.newest - KEPT_HOURS:
            return True
        self.labels.append(label)
        if len(self.labels) > MOST_LABELS:
            oldest = min(
                self.labels, key=lambda kept: (kept.hour, kept.transaction, kept.reported_ms, kept.is_fraud)
            )
            self.labels.remove(oldest)
            self.evicted = max(self.evicted, oldest.hour)
        return True

    def first_seen_ms(self) -> int:
        return 2**63 - 1 if self.first == NO_HOUR else self.first * HOUR_MS

    def evicted_ms(self) -> int:
        if self.newest == self.evicted == NEVER_HOUR:
            return -(2**63)
        return max(self.newest - KEPT_HOURS, self.evicted) * HOUR_MS

    def encode(self) -> bytes:
        """The expected state after the fold."""
        return write_activity(
            StoredActivity(
                self.topic_id,
                self.applied_offset,
                self.newest,
                self.first,
                self.evicted,
                tuple(sorted(self.hours.items())),
                tuple(self.guards),
                tuple(sorted(self.labels, key=lambda label: label[:2])),
            )
        )


def as_facts(facts: Sequence[Fact]) -> Facts:
    rows = np.array([tuple(fact) for fact in facts], dtype="i8,i8,i8,i8,i8,?,i8,i8,i8,i8")
    return Facts(*(rows[name] for name in rows.dtype.names or ()))


def fold_all(facts: Sequence[Fact], states: Sequence[bytes]) -> Observed:
    return observe(states, as_facts(facts), LOG)


EDGES_MS = st.sampled_from(
    [7 * DAY_MS + width + step for width in (0, *WIDTHS_MS) for step in (-HOUR_MS, -1, 0, 1)]
)
STEPS_MS = st.one_of(st.integers(0, 2), st.integers(0, 3 * HOUR_MS), st.integers(0, 9 * DAY_MS), EDGES_MS)
BACK_MS = st.one_of(st.integers(0, 3 * HOUR_MS), st.integers(0, 50 * DAY_MS), EDGES_MS)
DIGESTS = st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])
SOURCES = st.tuples(st.sampled_from([-(2**63), 5, 2**63 - 1]), st.integers(0, 2))
KINDS = st.sampled_from([QUERY, TRANSACTION, QUERY | TRANSACTION, LABEL])


@st.composite
def histories(draw: st.DrawFn, entities: int = 1) -> list[Fact]:
    """Facts in mostly ascending order of time. Labels are about known and unknown transactions, late, early, repeated and
    reversed; some ranges of facts are sent again under new offsets, as after a crash.
    """
    facts, now_ms, sent = list[Fact](), START_MS, dict[tuple[int, int], int]()
    for _ in range(draw(st.integers(1, 30))):
        now_ms += draw(STEPS_MS)
        back = draw(st.booleans())
        time_ms, kind = now_ms - draw(BACK_MS) if back else now_ms, draw(KINDS)
        fact = Fact(draw(st.integers(0, entities - 1)), kind, time_ms, draw(DIGESTS))
        if kind & TRANSACTION:
            source = draw(SOURCES)
            sent[source] = sent.get(source, -1) + draw(st.integers(1, 3))
            fact = Fact(*fact[:4], 0, False, *source, sent[source])
        elif kind == LABEL:
            about = draw(st.sampled_from([fact, *facts]))
            reported_ms = about.time_ms + draw(st.one_of(STEPS_MS, st.sampled_from([0, DAY_MS, DAY_MS + 1])))
            fact = Fact(
                fact.entity, LABEL, about.time_ms, about.transaction, reported_ms, draw(st.booleans())
            )
        facts.append(fact)
        if draw(st.booleans()) and len(facts) < MOST_FACTS:
            facts += facts[-draw(st.integers(1, 4)) :]
    return [fact._replace(offset=number) for number, fact in enumerate(facts)]
