"""What is finished is counted a few times a second, and nothing of it twice or never."""

import asyncio
from typing import Any, cast

import pytest

from app.adapters.observability.prometheus import PrometheusMetrics
from app.domain.outcomes.outcome import Outcome
from app.processing.score_chunk import ScoredChunk
from app.processing.stopwatch import Stopwatch
from app.streaming.delivery.order_of_writes import InFlightChunk
from app.streaming.monitoring import chunk_metrics
from app.streaming.monitoring.chunk_metrics import MOST_RECORDS, ChunkMetrics
from tests.unit.streaming.delivery.test_order_of_writes import work

NOW_MS = 10_000


class Desk:
    """ChunkMetrics with a reader of its counters."""

    def __init__(self) -> None:
        self.metrics = PrometheusMetrics()
        self.counting = ChunkMetrics(self.metrics)

    def finish(self, *chunks: ScoredChunk) -> None:
        self.counting.add(
            [InFlightChunk(chunk, lambda: None, watch(), cast(Any, None)) for chunk in chunks], NOW_MS
        )

    def shown(self, name: str, **labels: Any) -> float:
        found = self.metrics.registry.get_sample_value(f"fraudstream_{name}", labels)
        assert found is not None
        return found

    @property
    def decided(self) -> float:
        return self.shown("transactions_total", result="decided")


def watch() -> Stopwatch:
    made = Stopwatch(lambda: 0.0)
    made.seconds = {"fold": 0.25, "send": 0.5}
    return made


def chunk(records: int = 1, waited_ms: int = 0) -> ScoredChunk:
    """A chunk whose records were all decided."""
    one = work("a", 0, "a")
    return one._replace(
        decisions=one.decisions * records,
        dead_letters=[],
        outcomes=[Outcome.REVIEW] * records,
        scores=[0.5] * records,
        sent_ms=[NOW_MS - waited_ms] * records,
    )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(chunk_metrics, "COUNT_SECONDS", 0.01)
    return Desk()


async def test_write_rounds_are_counted_together_after_the_delay(desk: Desk) -> None:
    desk.finish(chunk(2), chunk(3))
    desk.finish(chunk(4))
    assert desk.decided == 0

    await asyncio.sleep(0.05)

    assert desk.decided == desk.shown("decisions_total", outcome="review") == 9
    assert desk.shown("chunk_events_count") == 3
    assert desk.shown("chunk_seconds_sum", stage="send") == 1.5
    assert desk.shown("scores_count") == 9


async def test_chunks_after_a_count_are_counted_with_the_next(desk: Desk) -> None:
    for counted in (2, 4):
        desk.finish(chunk(2))
        await asyncio.sleep(0.05)
        assert desk.decided == counted


async def test_a_latency_ends_when_the_chunk_became_durable(desk: Desk) -> None:
    desk.finish(chunk(1, waited_ms=2_000))
    await asyncio.sleep(0.05)

    assert desk.shown("decision_latency_seconds_sum") == 2.0


async def test_many_records_are_counted_at_once(desk: Desk) -> None:
    """A delay would keep their records in memory."""
    desk.finish(chunk(MOST_RECORDS - 1))
    assert desk.decided == 0
    desk.finish(chunk(1))

    assert desk.decided == MOST_RECORDS
    desk.finish(chunk(1))
    assert desk.decided == MOST_RECORDS
    await asyncio.sleep(0.05)
    assert desk.decided == MOST_RECORDS + 1
