"""Published decisions are compared with replayed ones, to the bit, and counted by what differs."""

from collections.abc import AsyncIterator
from math import nan, nextafter
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from app.adapters.kafka.range_reader import Extent, LogRecord
from app.domain.decision import ModelReference, SourceOffset, Thresholds
from app.domain.outcomes.outcome import Outcome
from app.features.catalog import NAMES
from app.replay.compare_decisions import MOST_EXAMPLES, Example, Kind, ReplayCounts, ReplayedRows, compare
from app.replay.published_decisions import PublishedDecision, PublishedDecisions

REFERENCE = ModelReference(name="m", version="1", digest="d")
COUNT = NAMES.index("customer_count_1h")
LAST = NAMES.index("customer_seconds_since_last")


def decided(offset: int = 0, **changed: Any) -> PublishedDecision:
    features: list[float | None] = [1.0] * len(NAMES)
    features[LAST] = None
    whole: dict[str, Any] = {
        "transaction_id": f"t{offset}",
        "score": 0.5,
        "outcome": Outcome.REVIEW,
        "model": REFERENCE,
        "thresholds": Thresholds(review=0.4, decline=0.9),
    }
    whole |= {"catalog": "c", "features": features, "degraded": []}
    return PublishedDecision(
        **(whole | {"source": SourceOffset(topic="t", partition=0, offset=offset)} | changed)
    )


def model(score: float = 0.5, review: float = 0.4) -> Any:
    return SimpleNamespace(
        score=lambda rows: np.full(len(rows), score), thresholds=Thresholds(review=review, decline=0.9)
    )


def compared(
    one: PublishedDecision,
    row: dict[int, float],
    by: Any = None,
    *,
    reads_all: bool = True,
    whole: bool = True,
) -> ReplayCounts:
    """Counts for one decision whose replayed feature row differs from ``decided()`` in the columns of ``row``."""
    rows = np.ones((1, len(NAMES)))
    rows[0, LAST] = nan
    for column, value in row.items():
        rows[0, column] = value
    counts = ReplayCounts()
    compare(ReplayedRows(0, [0], [one], rows, np.array([whole]), reads_all), NAMES, by or model(), counts)
    return counts


def test_identical_decisions_are_equal_including_missing_features() -> None:
    counts = compared(decided(), {})
    assert ({Kind.EQUAL: 1}, {"review>review": 1}, []) == (counts.kinds, counts.outcomes, counts.examples)
    assert not counts.differs


def test_one_bit_of_a_feature_or_of_a_score_is_a_difference() -> None:
    counts = compared(decided(), {COUNT: nextafter(1.0, 2)})
    assert ({Kind.FEATURES: 1}, {"customer_count_1h": 1}) == (counts.kinds, counts.features)
    assert {Kind.SCORE: 1} == compared(decided(), {}, model(nextafter(0.5, 1))).kinds
    assert counts.differs


def test_a_different_outcome_is_counted_as_such() -> None:
    counts = compared(decided(), {}, model(review=0.6))
    assert ({Kind.OUTCOME: 1}, {"review>approve": 1}) == (counts.kinds, counts.outcomes)


@pytest.mark.parametrize(
    ("column", "value", "reads_all", "whole", "kind"),
    [
        (COUNT, 2.0, False, False, Kind.OLDER_THAN_LOG),
        (COUNT, 2.0, False, True, Kind.FEATURES),
        (COUNT, 2.0, True, False, Kind.FEATURES),
        (0, 2.0, False, False, Kind.FEATURES),
        (LAST, 5.0, False, True, Kind.FEATURES),
    ],
)
def test_unread_history_explains_customer_features_only_if_a_window_reaches_it(
    column: int, value: float, *, reads_all: bool, whole: bool, kind: Kind
) -> None:
    assert {kind: 1} == compared(decided(), {column: value}, reads_all=reads_all, whole=whole).kinds


def test_the_previous_transaction_may_not_have_been_read() -> None:
    features = [*decided().features]
    features[LAST] = 9.0
    counts = compared(decided(features=features), {}, reads_all=False)
    assert {Kind.OLDER_THAN_LOG: 1} == counts.kinds
    assert not counts.differs


def test_few_examples_of_a_kind_are_kept_and_all_are_counted() -> None:
    counts = ReplayCounts()
    for kind in (Kind.MISSING, Kind.UNEXPECTED):
        for offset in range(2 * MOST_EXAMPLES):
            counts.add(
                Example(kind=kind, offset=offset, partition=0, transaction_id="t", recorded={}, replayed={})
            )
    assert {Kind.MISSING: 2 * MOST_EXAMPLES, Kind.UNEXPECTED: 2 * MOST_EXAMPLES} == counts.kinds
    assert 2 * MOST_EXAMPLES == len(counts.examples)


class Topic:
    """A partition of decisions on these transactions, read two records at a time."""

    def __init__(self, *offsets: int | None) -> None:
        self.values = [b"?" if at is None else msgspec.json.encode(decided(at)) for at in offsets]
        self.read = 0

    async def extent(self, _: int) -> Extent:
        return Extent(0, len(self.values))

    async def offset_at(self, _: int, __: int) -> int | None:
        return 0

    async def records(self, _: int, start: int, end: int) -> AsyncIterator[tuple[list[LogRecord], int]]:
        for at in range(start, end, 2):
            self.read = min(at + 2, end)
            yield [LogRecord("d", 0, o, 0, None, self.values[o], ()) for o in range(at, self.read)], self.read


async def end() -> int:
    return 50


@pytest.mark.parametrize(
    "source",
    [
        SourceOffset(topic="t", partition=0, offset=2**62),
        SourceOffset(topic="t", partition=0, offset=50),
        SourceOffset(topic="t", partition=0, offset=-1),
        SourceOffset(topic="t", partition=1, offset=7),
    ],
    ids=str,
)
async def test_a_forged_source_ends_no_reading(source: SourceOffset) -> None:
    """The attack: after a decision of the offset 2**62 no other one was read, and all transactions were missing theirs."""
    topic: Any = Topic(1, None, 2, 3, 4, 5, 6)
    topic.values[1] = msgspec.json.encode(decided(source=source))
    log = PublishedDecisions(topic, "t", 0)
    await log.begin(1, 0, end)

    assert [[1, 2], [3, 4], [5, 6]] == [list(await log.take(up_to)) for up_to in (3, 5, 7)]
    assert [source] == [one.source for one in log.without_transaction]


async def test_decisions_are_read_in_step_with_the_source_and_repeats_are_skipped() -> None:
    topic: Any = Topic(1, 2, 3, None, 5, 2, 3, 5, 6, 7, 8, 9)
    log = PublishedDecisions(topic, "t", 0)
    await log.begin(2, 0, end)
    assert [2, 3] == list(await log.take(4))
    assert topic.read < len(topic.values), "memory holds only the records ahead of the current offset"
    assert [5, 6] == list(await log.take(7))
    assert [7, 8, 9] == list(await log.take(100))
    assert [] == list(await log.take(200))
    assert 3 == log.repeated


async def test_repeats_that_differ_from_the_first_decision_are_counted() -> None:
    topic: Any = Topic(1, 2, 1, 2, 3, 2)
    topic.values[3] = msgspec.json.encode(decided(2, features=[None]))
    log = PublishedDecisions(topic, "t", 0)
    await log.begin(1, 0, end)
    await log.take(100)

    assert (3, 1) == (log.repeated, log.contradicting)
