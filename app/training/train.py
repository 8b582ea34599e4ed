"""From a labelled history to a bundle: fold, split by time, fit, measure, write. Same input, same bytes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import sklearn
import threadpoolctl
from sklearn.ensemble import HistGradientBoostingClassifier

from app.adapters.bundles import Bundle, save
from app.adapters.history import HistorySource
from app.adapters.manifest import Manifest, ProfileBounds, TrainingWindow
from app.errors import ModelRejected
from app.features import catalog
from app.features.fold import Profiles
from app.features.window import Bounds
from app.scoring.model import Rows, Scores
from app.training.card import card
from app.training.dataset import Dataset, read_dataset
from app.training.evaluation import choose_thresholds, evaluate
from app.training.options import TrainingOptions
from app.training.population import distribution, distributions, golden_rows
from app.training.split import Split, split_by_time

_FEWEST_KNOWN = 0.001
"""Share of rows that must have a feature for a tree to split on it."""


class Target(NamedTuple):
    """Where a bundle goes: ``.../<name>/<version>``."""

    path: Path
    created: str | None = None
    """YYYY-MM-DD; None takes the day of the history's last event."""


def train(
    source: HistorySource,
    target: Target,
    options: TrainingOptions,
    profile: ProfileBounds,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Bundle:
    """Train on a labelled file and write the bundle. Raises InvalidFile, or ModelRejected if there is one."""
    if target.path.exists():
        raise ModelRejected(f"{target.path} exists. A version is never overwritten: choose another.")
    bounds = Bounds(profile.allowed_lateness_seconds * 1000, profile.max_events)
    split = split_by_time(read_dataset(source, Profiles(bounds), on_progress), options)
    estimator = fit(split.fitted, options)
    tested = estimator.predict_proba(split.tested.rows)[:, 1]
    fitted = estimator.predict_proba(split.fitted.rows)[:, 1]
    manifest = _describe(target, options, profile, split, (fitted, tested))
    text = card(manifest, options, split, source.path.name)
    return save(target.path, manifest, estimator, golden_rows(split.fitted.rows, fitted), text)


def fit(dataset: Dataset, options: TrainingOptions) -> HistGradientBoostingClassifier:
    """The fitted estimator; in one thread, since sums over threads depend on how many there are."""
    estimator = HistGradientBoostingClassifier(
        **msgspec.structs.asdict(options.boosting), early_stopping=False, random_state=options.seed
    )
    with threadpoolctl.threadpool_limits(1):
        estimator.fit(_without_empty_columns(dataset.rows), dataset.frauds.astype(np.int64))
    return estimator


def _without_empty_columns(rows: Rows) -> Rows:
    """A feature that (almost) no row has becomes a constant: no tree splits on it, whatever it holds later.

    scikit-learn cannot bin a column that has no value in its sample of 200,000 rows.
    """
    empty = np.isfinite(rows).mean(axis=0) < _FEWEST_KNOWN
    return np.where(empty, 0.0, rows) if empty.any() else rows


def _describe(
    target: Target,
    options: TrainingOptions,
    profile: ProfileBounds,
    split: Split,
    scores: tuple[Scores, Scores],
) -> Manifest:
    (fitted, tested), times = scores, split.fitted.event_times
    thresholds = choose_thresholds(tested, split.tested.frauds, options)
    last_event = datetime.fromtimestamp(int(split.tested.event_times.max()) / 1000, UTC)
    return Manifest(
        name=target.path.parent.name,
        version=target.path.name,
        created=target.created or last_event.date().isoformat(),
        sklearn=sklearn.__version__,
        catalog_version=catalog.VERSION,
        catalog_digest=catalog.DIGEST,
        features=list(catalog.NAMES),
        thresholds=thresholds,
        training=TrainingWindow(
            first_event_time=int(times.min()),
            last_event_time=int(times.max()),
            rows=len(times),
            frauds=int(split.fitted.frauds.sum()),
        ),
        profile=profile,
        metrics=evaluate(tested, split.tested.frauds, thresholds, options.test_days),
        distributions=distributions(split.fitted.rows, split.fitted.frauds),
        scores=distribution(fitted, split.fitted.frauds),
    )
