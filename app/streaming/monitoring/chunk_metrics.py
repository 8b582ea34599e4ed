"""Metrics of durable chunks of transactions."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from app.metrics import Metrics
from app.processing.score_chunk import ScoredChunk
from app.processing.stopwatch import Stage, Stopwatch
from app.streaming.delivery.order_of_writes import InFlightChunk

COUNT_SECONDS = 0.1
"""Longest delay of the metrics. ChunkMetrics each small round by itself would take half as long as folding it."""
MOST_RECORDS = 1_000
"""Records after which the metrics are updated without delay."""


class ChunkMetrics:
    """Counts chunks of transactions in batches. Needs a running event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._finished: list[InFlightChunk[ScoredChunk]] = []
        self._records = 0
        self._latencies_ms: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, finished: Iterable[InFlightChunk[ScoredChunk]], now_ms: int) -> None:
        """Count chunks that became durable at ``now_ms``."""
        for chunk in finished:
            self._finished.append(chunk)
            self._records += chunk.computed.records
            self._latencies_ms += [now_ms - sent_ms for sent_ms in chunk.computed.sent_ms]
        if self._records >= MOST_RECORDS:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COUNT_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        finished, self._finished = self._finished, []
        latencies_ms, self._latencies_ms = self._latencies_ms, []
        self._records = 0
        _count(self._metrics, [chunk.computed for chunk in finished])
        count_seconds(self._metrics, [chunk.stopwatch for chunk in finished])
        self._metrics.observe_all("decision_latency_seconds", np.array(latencies_ms, np.float64) / 1000)


def _count(metrics: Metrics, chunks: Sequence[ScoredChunk]) -> None:
    metrics.count("transactions_total", sum(len(chunk.decisions) for chunk in chunks), result="decided")
    metrics.count(
        "transactions_total", sum(len(chunk.dead_letters) for chunk in chunks), result="dead_letter"
    )
    metrics.count("transactions_total", sum(chunk.already_applied for chunk in chunks), result="replayed")
    metrics.count("transactions_total", sum(chunk.duplicate for chunk in chunks), result="duplicate")
    metrics.count("transactions_total", sum(len(chunk.ignored) for chunk in chunks), result="ignored")
    metrics.count("late_total", sum(chunk.late for chunk in chunks))
    metrics.count("entities_absent_total", sum(chunk.without_entities for chunk in chunks))
    for outcome, number in Counter(chain.from_iterable(chunk.outcomes for chunk in chunks)).items():
        metrics.count("decisions_total", number, outcome=outcome)
    for reason, number in Counter(entry.error.reason for chunk in chunks for entry in chunk.rejected).items():
        metrics.count("dead_letters_total", number, reason=reason)
    for why, number in Counter(chain.from_iterable(chunk.ignored for chunk in chunks)).items():
        metrics.count("changes_ignored_total", number, change=why)
    metrics.observe_all("scores", list(chain.from_iterable(chunk.scores for chunk in chunks)))
    metrics.observe_all("chunk_events", [chunk.records for chunk in chunks])


def count_seconds(metrics: Metrics, stopwatches: Iterable[Stopwatch]) -> None:
    """Observe the seconds of each stage for every chunk that passed through it."""
    seconds: defaultdict[Stage, list[float]] = defaultdict(list)
    for stopwatch in stopwatches:
        for stage, elapsed in stopwatch.seconds.items():
            seconds[stage].append(elapsed)
    for stage, each in seconds.items():
        metrics.observe_all("chunk_seconds", each, stage=stage)
