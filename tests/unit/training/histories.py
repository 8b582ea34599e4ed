"""Histories to learn from, and how little is enough to learn it."""

from pathlib import Path

import numpy as np

from app.adapters.column_mapping import CONTRACT
from app.adapters.models.estimators import scorers_of
from app.adapters.models.manifest import ProfileBounds
from app.computation.feature_set import SHIPPED
from app.domain.acceptance import Acceptance
from app.features import catalog
from app.features.window import DAY_MS
from app.history.fold_history import HistorySource
from app.training.dataset import Dataset
from app.training.fitting import fit
from app.training.options import TrainingOptions
from app.training.recipe import Piece, Recipe
from app.training.split import Split, plan, sampled

PROFILE = ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096)
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
SMALL = Recipe(estimator=Piece(path=BOOSTING, parameters={"max_iter": 5}))
OPTIONS = TrainingOptions(recipe=SMALL, test_days=7, review_share=0.05)
NOW_MS = 1_800_000_000_000


def source(path: Path) -> HistorySource:
    return HistorySource(path=path, mapping=CONTRACT, acceptance=Acceptance(), now_ms=NOW_MS)


def dataset(days: int) -> Dataset:
    """One transaction an hour; every tenth is a fraud."""
    hours = np.arange(days * 24 + 1, dtype=np.int64)
    return Dataset(
        rows=np.zeros((len(hours), len(catalog.NAMES))),
        features=SHIPPED,
        frauds=hours % 10 == 0,
        amounts_minor=np.zeros_like(hours),
        event_times=hours * DAY_MS // 24,
        customers=hours % 5,
        patterns=np.zeros_like(hours),
        transactions=hours,
    )


def split_by_time(history: Dataset, options: TrainingOptions) -> Split:
    """As training reads a file."""
    times = history.event_times
    planned = plan(int(times.min()), int(times.max()), options)
    fitted = history.where(sampled(planned, options)(history))
    return Split(fitted, history.where(planned.tests(times)), planned)


def mean_score(fitted: Dataset, options: TrainingOptions, tested: Dataset) -> float:
    score_rows = scorers_of(fit(fitted, options), np.zeros((1, len(catalog.NAMES)))).score
    return float(score_rows(tested.rows).mean())


def noisy(count: int) -> Dataset:
    """Forty days; a fifth of the frauds look like anybody."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(count, len(catalog.NAMES)))
    frauds = rows[:, 0] + random.normal(size=count) > 2
    return Dataset(
        rows=rows,
        features=SHIPPED,
        frauds=frauds,
        amounts_minor=rows[:, 0].astype(np.int64),
        event_times=np.linspace(0, 40 * DAY_MS, count).astype(np.int64),
        customers=np.arange(count) % 100,
        patterns=np.zeros(count, dtype=np.int64),
        transactions=np.zeros(count, dtype=np.int64),
    )
