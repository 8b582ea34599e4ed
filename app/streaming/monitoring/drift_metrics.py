"""Drift as metrics: what this worker scored lately against what its champion was trained on."""

from app.adapters.models.bundles import Bundle
from app.metrics import Metrics
from app.scoring.drift import FEWEST_ROWS, Recent, Reference
from app.scoring.model import Rows, Scores


class DriftWatch:
    """Starts anew with every champion, whose histograms are its own."""

    def __init__(self, metrics: Metrics, window: int) -> None:
        """``window`` decisions are looked at; 0 for none."""
        self._metrics = metrics
        self._window = window
        self._recent: Recent | None = None
        self._told: set[str] = set()

    def follow(self, bundle: Bundle) -> None:
        """From now on ``bundle`` scores."""
        for name in self._told:
            self._metrics.remove("drift_psi", feature=name)
        self._told = set()
        self._metrics.gauge("drift_decisions", 0)
        if self._window:
            reference = Reference(bundle.manifest.distributions, bundle.manifest.scores)
            self._recent = Recent(reference, self._window)

    def observe(self, rows: Rows, scores: Scores) -> None:
        """Scored rows of a chunk; figures are told whenever a twentieth of the window is full."""
        if self._recent is not None and self._recent.observe(rows, scores):
            self._tell(self._recent)

    def _tell(self, recent: Recent) -> None:
        self._metrics.gauge("drift_decisions", recent.rows)
        if recent.rows < FEWEST_ROWS:
            return
        for drift in recent.drifts():
            self._metrics.gauge("drift_psi", drift.psi, feature=drift.name)
            self._told.add(drift.name)
