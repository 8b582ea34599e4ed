"""What is counted about finished chunks."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from app.metrics import Metrics
from app.streaming.order_of_writes import Computed
from app.streaming.stages import Stage, Stopwatch
from app.streaming.work import Work


def count(metrics: Metrics, finished: Sequence[Computed[Work]], now_ms: int) -> None:
    """A few calls for a round of chunks, whatever their size and number."""
    works = [chunk.work for chunk in finished]
    metrics.count("transactions_total", sum(len(work.decisions) for work in works), result="decided")
    metrics.count("transactions_total", sum(len(work.dead_letters) for work in works), result="dead_letter")
    metrics.count("transactions_total", sum(work.replayed for work in works), result="replayed")
    metrics.count("transactions_total", sum(work.duplicate for work in works), result="duplicate")
    metrics.count("transactions_total", sum(len(work.ignored) for work in works), result="ignored")
    metrics.count("late_total", sum(work.late for work in works))
    metrics.count("entities_absent_total", sum(work.absent for work in works))
    for outcome, number in Counter(chain.from_iterable(work.outcomes for work in works)).items():
        metrics.count("decisions_total", number, outcome=outcome)
    for reason, number in Counter(entry.error.reason for work in works for entry in work.rejected).items():
        metrics.count("dead_letters_total", number, reason=reason)
    for why, number in Counter(chain.from_iterable(work.ignored for work in works)).items():
        metrics.count("changes_ignored_total", number, change=why)
    metrics.observe_all("scores", list(chain.from_iterable(work.scores for work in works)))
    metrics.observe_all("chunk_events", [work.records for work in works])
    count_seconds(metrics, [chunk.watch for chunk in finished])
    sent_ms = np.array([ms for work in works for ms in work.sent_ms], dtype=np.float64)
    metrics.observe_all("decision_latency_seconds", (now_ms - sent_ms) / 1000)


def count_seconds(metrics: Metrics, watches: Iterable[Stopwatch]) -> None:
    """Of each stage, in each chunk that went through it."""
    taken: defaultdict[Stage, list[float]] = defaultdict(list)
    for watch in watches:
        for stage, seconds in watch.seconds.items():
            taken[stage].append(seconds)
    for stage, each in taken.items():
        metrics.observe_all("chunk_seconds", each, stage=stage)
