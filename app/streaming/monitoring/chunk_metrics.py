"""What is counted about finished chunks."""

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
"""How long what is finished may wait to be counted. To count a round of a few records takes half as long as to fold it."""
MOST_RECORDS = 1_000
"""Kept in memory until they are counted."""


class Counting:
    """Counts chunks of transactions; to be used within an event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._finished: list[InFlightChunk[ScoredChunk]] = []
        self._records = 0
        self._latencies_ms: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, finished: Iterable[InFlightChunk[ScoredChunk]], now_ms: int) -> None:
        """They became durable now."""
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


def _count(metrics: Metrics, works: Sequence[ScoredChunk]) -> None:
    metrics.count("transactions_total", sum(len(work.decisions) for work in works), result="decided")
    metrics.count("transactions_total", sum(len(work.dead_letters) for work in works), result="dead_letter")
    metrics.count("transactions_total", sum(work.already_applied for work in works), result="replayed")
    metrics.count("transactions_total", sum(work.duplicate for work in works), result="duplicate")
    metrics.count("transactions_total", sum(len(work.ignored) for work in works), result="ignored")
    metrics.count("late_total", sum(work.late for work in works))
    metrics.count("entities_absent_total", sum(work.without_entities for work in works))
    for outcome, number in Counter(chain.from_iterable(work.outcomes for work in works)).items():
        metrics.count("decisions_total", number, outcome=outcome)
    for reason, number in Counter(entry.error.reason for work in works for entry in work.rejected).items():
        metrics.count("dead_letters_total", number, reason=reason)
    for why, number in Counter(chain.from_iterable(work.ignored for work in works)).items():
        metrics.count("changes_ignored_total", number, change=why)
    metrics.observe_all("scores", list(chain.from_iterable(work.scores for work in works)))
    metrics.observe_all("chunk_events", [work.records for work in works])


def count_seconds(metrics: Metrics, watches: Iterable[Stopwatch]) -> None:
    """Of each stage, in each chunk that went through it."""
    taken: defaultdict[Stage, list[float]] = defaultdict(list)
    for stopwatch in watches:
        for stage, seconds in stopwatch.seconds.items():
            taken[stage].append(seconds)
    for stage, each in taken.items():
        metrics.observe_all("chunk_seconds", each, stage=stage)
