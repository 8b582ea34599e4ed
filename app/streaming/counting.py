"""What is counted about a finished chunk."""

from collections import Counter

import numpy as np

from app.metrics import Metrics
from app.streaming.stages import Stopwatch
from app.streaming.work import Work


def count(metrics: Metrics, work: Work, watch: Stopwatch, now_ms: int) -> None:
    """A few calls per chunk, whatever its size."""
    metrics.count("transactions_total", len(work.decisions), result="decided")
    metrics.count("transactions_total", len(work.dead_letters), result="dead_letter")
    metrics.count("transactions_total", work.replayed, result="replayed")
    metrics.count("transactions_total", work.duplicate, result="duplicate")
    metrics.count("transactions_total", len(work.ignored), result="ignored")
    metrics.count("late_total", work.late)
    metrics.count("entities_absent_total", work.absent)
    for outcome, number in Counter(work.outcomes).items():
        metrics.count("decisions_total", number, outcome=outcome)
    for reason, number in Counter(entry.error.reason for entry in work.rejected).items():
        metrics.count("dead_letters_total", number, reason=reason)
    for why, number in Counter(work.ignored).items():
        metrics.count("changes_ignored_total", number, change=why)
    metrics.observe_all("scores", work.scores)
    metrics.observe("chunk_events", work.records)
    for stage, seconds in watch.seconds.items():
        metrics.observe("chunk_seconds", seconds, stage=stage)
    metrics.observe_all(
        "decision_latency_seconds", (now_ms - np.array(work.sent_ms, dtype=np.float64)) / 1000
    )
