"""The state of the demo that a screen draws."""

import time
from collections import deque

import msgspec

from app.demo.progress import HistoryProgress, Progress
from app.demo.reconciliation import Reconciliation
from app.domain.decision import Alert
from app.domain.outcomes.outcome import Outcome
from app.rendering.attacks import Attack, Target, target_of

PHASES = {
    "starting": "starting the worker",
    "history": "history at full speed, to fill the profiles",
    "live": "live traffic",
    "draining": "traffic stopped; waiting for the last decisions",
}
NOTES_SHOWN = 3


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The counters at one moment."""

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
    """The present state of the run: phase, counters, notes, and hints with commands to try."""

    def __init__(self, reconciliation: Reconciliation, started_seconds: float) -> None:
        self.reconciliation = reconciliation
        self.phase = "starting"
        self.hints: list[str] = []
        self.notes: deque[str] = deque(maxlen=NOTES_SHOWN)
        self.first_alert_seconds: float | None = None
        self.history = HistoryProgress()
        self._changed: set[Target] = set()
        self._started_seconds = started_seconds
        self._last = (time.perf_counter(), 0)

    @property
    def seconds(self) -> float:
        """Seconds since the command was started."""
        return time.time() - self._started_seconds

    def alert(self, alert: Alert) -> None:
        if self.first_alert_seconds is None:
            self.first_alert_seconds = self.seconds
            self.notes.append(f"first alert after {self.seconds:.0f} s")
        self._changed.add(target_of(alert))

    def progress(self) -> Progress | None:
        """Return the progress of the history; None when it is over."""
        if self.phase not in {"starting", "history"}:
            return None
        return self.history.at(self.reconciliation.sent, self.reconciliation.decided, time.perf_counter())

    def changed_attacks(self) -> list[Attack]:
        """Return the newest attacks with an alert since the last call, the oldest first."""
        newest = self.reconciliation.attacks.newest(NOTES_SHOWN)
        changed = [attack for attack in reversed(newest) if attack.target in self._changed]
        self._changed.clear()
        return changed

    def summary(self) -> list[str]:
        """Return the lines to print at the end of the run."""
        figures, first, approved = (
            self.figures(),
            self.first_alert_seconds,
            self.reconciliation.outcomes[Outcome.APPROVE],
        )
        return [
            "no alert arrived" if first is None else f"first alert after {first:.0f} s",
            f"latency of live traffic, sent to decision received: {figures.latency}",
            f"{approved:,} approve, {figures.reviews:,} review, {figures.declines:,} decline",
            *self.reconciliation.balance().lines(),
        ]

    def figures(self) -> Figures:
        """Return the counters; ``events_per_s`` counts the events decided since the last call."""
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
