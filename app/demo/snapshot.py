"""What there is to see at one moment, whoever draws it."""

import time
from collections import deque

import msgspec

from app.demo.reconciliation import Reconciliation
from app.domain.decision import Alert, Outcome

PHASES = {
    "starting": "starting the worker",
    "history": "history at full speed, so that the profiles are warm",
    "live": "live traffic",
    "draining": "traffic stopped; waiting for the last decisions",
}
NOTES_SHOWN = 3


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of one moment."""

    events_per_s: float
    produced: int
    decided: int
    dead_letters: int
    lag: int
    reviews: int
    declines: int
    p50_ms: int | None
    p99_ms: int | None

    @property
    def latency(self) -> str:
        return (
            "not measured yet" if self.p50_ms is None else f"p50 {self.p50_ms:,} ms, p99 {self.p99_ms:,} ms"
        )


class Snapshot:
    """The run as it stands; the pids and addresses that a curious person may use."""

    def __init__(self, reconciliation: Reconciliation, started_seconds: float) -> None:
        self.reconciliation = reconciliation
        self.phase = "starting"
        self.hints: list[str] = []
        self.notes: deque[str] = deque(maxlen=NOTES_SHOWN)
        self.first_alert_seconds: float | None = None
        self.new_alerts: deque[Alert] = deque(maxlen=NOTES_SHOWN)
        """Alerts since the last look, the newest few."""
        self._started_seconds = started_seconds
        self._last = (time.perf_counter(), 0)

    @property
    def seconds(self) -> float:
        """Since the command was given."""
        return time.time() - self._started_seconds

    def alert(self, alert: Alert) -> None:
        if self.first_alert_seconds is None:
            self.first_alert_seconds = self.seconds
            self.notes.append(f"first alert after {self.seconds:.0f} s")
        self.new_alerts.append(alert)

    def summary(self) -> list[str]:
        """What the run comes to."""
        figures, first, approved = (
            self.figures(),
            self.first_alert_seconds,
            self.reconciliation.outcomes[Outcome.APPROVE],
        )
        return [
            "no alert came" if first is None else f"first alert after {first:.0f} s",
            f"latency of live traffic, sent to decision received: {figures.latency}",
            f"{approved:,} approve, {figures.reviews:,} review, {figures.declines:,} decline",
            *self.reconciliation.balance().lines(),
        ]

    def figures(self) -> Figures:
        """Events a second are those decided since the last call."""
        reconciliation, now = self.reconciliation, time.perf_counter()
        (before, counted), self._last = self._last, (now, reconciliation.decided)
        return Figures(
            events_per_s=(reconciliation.decided - counted) / max(now - before, 1e-9),
            produced=reconciliation.sent + reconciliation.malformed,
            decided=reconciliation.decided,
            dead_letters=reconciliation.dead_letters,
            lag=reconciliation.undecided,
            reviews=reconciliation.outcomes[Outcome.REVIEW],
            declines=reconciliation.outcomes[Outcome.DECLINE],
            p50_ms=reconciliation.latencies.quantile_ms(0.50),
            p99_ms=reconciliation.latencies.quantile_ms(0.99),
        )
