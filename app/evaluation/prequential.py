"""Evaluates by the prequential protocol: one model per fold, tested on the days after its labels are known."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import threadpoolctl

from app.adapters.models.estimators import scorers_of
from app.adapters.models.scorers import ScoreRows
from app.domain.decision import Thresholds
from app.evaluation.figures import Asked, Part, figures
from app.features.window import DAY_MS
from app.history.feature_fold import FeatureFold
from app.history.fold_history import HistorySource
from app.scoring.model import Scores
from app.training.dataset import Dataset, Progress, event_span, read_datasets
from app.training.evaluation import share_threshold
from app.training.fitting import fit, require_storable
from app.training.folds import Fold, Protocol, folds, most_folds
from app.training.labelling import Labelling
from app.training.options import TrainingOptions
from app.training.scored_dataset import Flags
from app.training.split import require_frauds


class FoldResult(NamedTuple):
    """One fold with its figures, its test data and its model."""

    part: Part
    tested: Dataset
    score_rows: ScoreRows


def planned_folds(
    source: HistorySource, protocol: Protocol, until_day: int | None, *, fewer: bool = False
) -> list[Fold]:
    """Return the folds, newest first, up to ``until_day`` or the last day; with ``fewer`` as many as the file holds.

    Raises InvalidFile if the file is too short.
    """
    first_ms, last_ms = event_span(source)
    first_day, last_day = first_ms // DAY_MS, last_ms // DAY_MS
    if until_day is not None:
        last_day = min(until_day, last_day)
    if fewer:
        fitting = max(1, min(protocol.folds, most_folds(protocol, first_day, last_day)))
        protocol = msgspec.structs.replace(protocol, folds=fitting)
    return folds(protocol, first_day, last_day)


def read_history(
    source: HistorySource, fold: FeatureFold, planned: Sequence[Fold], on_progress: Progress
) -> Dataset:
    """Fold the whole file and return the rows of the days of the folds."""
    first, last = min(f.train_from for f in planned), max(f.test_until for f in planned)

    def keep(part: Dataset) -> Flags:
        return (part.days >= first) & (part.days < last)

    return read_datasets(source, fold, [keep], on_progress)[0]


def run(
    history: Dataset,
    planned: Sequence[Fold],
    options: TrainingOptions,
    asked: Asked,
    labelling: Labelling | None = None,
) -> Iterator[FoldResult]:
    """Fit and test fold by fold. Raises InvalidFile if the training days of a fold have no fraud."""
    require_storable(options, history.features)
    days = history.days
    for number, fold in enumerate(planned):
        known = history.where(fold.trains(days)).as_known(labelling, fold.test_from * DAY_MS)
        fitted = _sampled(known, options)
        require_frauds(fitted, f"the days of training of fold {number}")
        score_rows = scorers_of(fit(fitted, options), np.zeros((1, history.features.width))).score
        tested = history.where(fold.tests(days, history.customers, history.frauds))
        waiting = history.where(fold.waits(days))
        with threadpoolctl.threadpool_limits(1):
            scored = tested.with_scores(score_rows(tested.rows))
            thresholds = _thresholds(score_rows((waiting if len(waiting) else fitted).rows), options)
        part = Part(f"fold {number}", scored, figures(scored, thresholds, asked))
        yield FoldResult(part, tested, score_rows)


def _sampled(fitted: Dataset, options: TrainingOptions) -> Dataset:
    if options.legitimate_share == 1:
        return fitted
    drawn = np.random.default_rng(options.seed).random(len(fitted)) < options.legitimate_share
    return fitted.where(fitted.frauds | drawn)


def _thresholds(scores: Scores, options: TrainingOptions) -> Thresholds:
    """Return thresholds from the scores of the days between training and test; shares need no labels."""
    return Thresholds(
        review=share_threshold(scores, options.review_share),
        decline=share_threshold(scores, options.decline_share),
    )
