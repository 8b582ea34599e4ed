"""Drift metrics: the newest scored rows of this worker compared with the training rows of its champion."""

from app.adapters.models.bundles import Bundle
from app.computation.feature_set import SHIPPED
from app.metrics import Metrics
from app.scoring.drift import FEWEST_ROWS, Recent, Reference
from app.scoring.model import Rows, Scores


class DriftMetrics:
    """Compares with the histograms of the current champion; a new champion starts a new comparison."""

    def __init__(self, metrics: Metrics, window: int, names: tuple[str, ...] = SHIPPED.names) -> None:
        """``names`` are the features of the rows. ``window`` is the number of newest decisions that are compared; 0 disables the metrics."""
        self._metrics = metrics
        self._window = window
        self._names = names
        self._recent: Recent | None = None
        self._reported: set[str] = set()

    def follow(self, bundle: Bundle) -> None:
        """Compare with the training rows of ``bundle`` from now on."""
        for name in self._reported:
            self._metrics.remove("drift_psi", feature=name)
        self._reported = set()
        self._metrics.gauge("drift_decisions", 0)
        if self._window:
            reference = Reference(bundle.manifest.distributions, bundle.manifest.scores)
            self._recent = Recent(reference, self._window, self._names)

    def observe(self, rows: Rows, scores: Scores) -> None:
        """Add the scored rows of a chunk. The metrics are updated after each twentieth of the window."""
        if self._recent is not None and self._recent.observe(rows, scores):
            self._report(self._recent)

    def _report(self, recent: Recent) -> None:
        self._metrics.gauge("drift_decisions", recent.rows)
        if recent.rows < FEWEST_ROWS:
            return
        for drift in recent.drifts():
            self._metrics.gauge("drift_psi", drift.psi, feature=drift.name)
            self._reported.add(drift.name)
