"""A small model for the workers under test: about one transaction in ten is suspicious."""

from pathlib import Path

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from app.adapters.catalog_file.deployed import catalog_computation
from app.adapters.catalog_file.reader import BASELINE
from app.adapters.models import bundles
from app.adapters.models.manifest import Manifest, ProfileBounds, TrainingWindow
from app.domain.decision import Thresholds
from app.features import catalog
from app.features.columns import compile_fold
from app.lists.table import compile_table
from app.processing.entity_work import compile_facts
from app.scoring.model import Distribution

ROWS = 2_000


def write_models(directory: Path) -> None:
    """Write a directory of models whose champion finds large amounts suspicious."""
    compile_all()
    write_bundle(directory, "1")
    (directory / "aliases.toml").write_text('champion = "large-amounts/1"\n', encoding="utf-8")


def compile_all() -> None:
    """Compile the machine code that workers run, or load it: workers that compile at the same time start too late."""
    compile_fold()
    compile_facts()
    compile_table()
    catalog_computation(BASELINE).compile()


def write_bundle(directory: Path, version: str, trees: int = 10, review: float = 0.4) -> None:
    """``large-amounts/<version>``. Another number of trees gives other scores."""
    random = np.random.default_rng(7)
    rows = random.uniform(0, 1, (ROWS, len(catalog.NAMES)))
    rows[:, 0] = random.uniform(0, 100_000, ROWS)
    rows[:, catalog.DELAYED] = 0  # so it scores the same where these are known and where they are not
    estimator = HistGradientBoostingClassifier(max_iter=trees, random_state=7)
    estimator.fit(rows, rows[:, 0] + 20_000 * rows[:, 1] > 95_000)
    described = Manifest(
        name="large-amounts",
        version=version,
        created="2026-01-01",
        sklearn=sklearn.__version__,
        catalog_version=catalog.VERSION,
        catalog_digest=catalog.DIGEST,
        features=list(catalog.NAMES),
        thresholds=Thresholds(review=review, decline=0.8),
        training=TrainingWindow(first_event_time=0, last_event_time=1, rows=ROWS, frauds=1),
        profile=ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096),
        metrics={},
        distributions={name: _distribution(rows[:, at]) for at, name in enumerate(catalog.NAMES)},
        scores=_distribution(estimator.predict_proba(rows)[:, 1]),
    )
    bundles.save(
        directory / "large-amounts" / version, described, estimator, rows[:50], "A model of the tests.\n"
    )


def _distribution(column: NDArray[np.float64]) -> Distribution:
    edges = np.unique(np.quantile(column, [0.05, 0.25, 0.5, 0.75, 0.95]))
    counts = np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1)
    return Distribution(
        edges=edges.tolist(), counts=counts.tolist(), missing=0, median=float(np.median(column))
    )
