"""Trains a bundle from a labelled history: fold, split by time, fit, measure, write. The same input gives the same bytes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import sklearn
import threadpoolctl

from app.adapters.models.bundles import Bundle, save
from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.models.estimators import scorers_of
from app.adapters.models.manifest import Manifest, ProfileBounds, TrainingWindow
from app.domain.clock import utc_text
from app.errors import ModelRejected
from app.features import catalog
from app.features.window import Bounds
from app.history.feature_fold import FeatureFold, release_fold
from app.history.fold_history import HistorySource
from app.scoring.model import Scores
from app.training.card import card
from app.training.dataset import Keep, Progress, event_span, labelling_of, read_datasets
from app.training.evaluation import choose_thresholds, evaluate
from app.training.fitting import fit, require_storable
from app.training.options import TrainingOptions
from app.training.population import distribution, distributions, golden_rows
from app.training.split import Split, plan, require_frauds, sampled


class Target(NamedTuple):
    """The new bundle: its directory ``.../<name>/<version>`` and its date."""

    path: Path
    created: str | None = None
    """YYYY-MM-DD; None for the day of the last event of the history."""
    limits: Limits = DEFAULT_LIMITS
    """The sizes that workers accept."""


def train(
    source: HistorySource,
    target: Target,
    options: TrainingOptions,
    profile: ProfileBounds,
    on_progress: Progress = lambda _: None,
    fold: FeatureFold | None = None,
) -> Bundle:
    """Train on a labelled file and write the bundle; without ``fold``, with the features of this release. Raises InvalidFile, or ModelRejected if the bundle exists."""
    if target.path.exists():
        raise ModelRejected(f"{target.path} exists. A version is never overwritten: choose another.")
    fold = fold or release_fold(Bounds(profile.allowed_lateness_seconds * 1000, profile.max_events))
    features = fold.computation.features
    require_storable(options, features)
    split = _read(source, fold, options, on_progress)
    estimator = fit(split.fitted, options)
    score_rows = scorers_of(estimator, np.zeros((1, features.width))).score
    with threadpoolctl.threadpool_limits(1):
        tested, fitted = score_rows(split.tested.rows), score_rows(split.fitted.rows)
    manifest = _describe(target, options, profile, split, (fitted, tested))
    text = card(manifest, options, split, source.path.name)
    golden = golden_rows(split.fitted.rows, features, fitted)
    return save(target.path, manifest, estimator, golden, text, target.limits)


def _read(source: HistorySource, fold: FeatureFold, options: TrainingOptions, on_progress: Progress) -> Split:
    planned = plan(*event_span(source), options)
    labelling = labelling_of(source)
    keeps: list[Keep] = [
        sampled(planned, options, labelling),
        lambda part: planned.tests(part.event_times),
    ]
    fitted, tested = read_datasets(source, fold, keeps, on_progress)
    split = Split(fitted.as_known(labelling, planned.tested_after), tested, planned)
    require_frauds(split.fitted, f"the days of history without the last {options.test_days}")
    return split


def _describe(
    target: Target,
    options: TrainingOptions,
    profile: ProfileBounds,
    split: Split,
    scores: tuple[Scores, Scores],
) -> Manifest:
    (fitted, tested), times, features = scores, split.fitted.event_times, split.fitted.features
    thresholds = choose_thresholds(tested, split.tested.frauds, options)
    last_day = utc_text(int(split.tested.event_times.max()), "%Y-%m-%d")
    return Manifest(
        name=target.path.parent.name,
        version=target.path.name,
        created=target.created or last_day,
        sklearn=sklearn.__version__,
        catalog_version=catalog.VERSION,
        catalog_digest=features.digest,
        features=list(features.names),
        definitions=dict(features.definitions),
        thresholds=thresholds,
        training=TrainingWindow(
            first_event_time=int(times.min()),
            last_event_time=int(times.max()),
            rows=len(times),
            frauds=int(split.fitted.frauds.sum()),
        ),
        profile=profile,
        metrics=evaluate(tested, split.tested.frauds, thresholds, options.test_days),
        distributions=distributions(
            split.fitted.rows, features, split.fitted.frauds, options.legitimate_share
        ),
        scores=distribution(fitted, split.fitted.frauds, options.legitimate_share),
    )
