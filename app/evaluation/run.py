"""Runs an evaluation of a bundle, of a file of scores, or by the prequential protocol."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np

from app.domain.decision import Thresholds
from app.errors import InvalidFile
from app.evaluation import prequential, scored
from app.evaluation.figures import EPOCH, Asked, Part, figures
from app.evaluation.importances import Importance, Sampler, importances
from app.evaluation.scored import ScoresFile
from app.history.feature_fold import FeatureFold
from app.history.fold_history import HistorySource
from app.scoring.model import Model
from app.training.dataset import Progress, labelling_of
from app.training.evaluation import share_threshold
from app.training.folds import Fold, Protocol
from app.training.options import TrainingOptions
from app.training.scored_dataset import ScoredDataset


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Source and options of an evaluation."""

    source: HistorySource
    fold: FeatureFold
    """Used for one evaluation."""
    asked: Asked = Asked()
    options: TrainingOptions = TrainingOptions()
    protocol: Protocol = Protocol()
    fewer_folds: bool = False
    """Take as many of the protocol's folds as the file holds, at least one."""
    since: date | None = None
    """First day to evaluate; None for the first of the file. Not used by the protocol, which counts folds backwards."""
    until: date | None = None
    """Last day to evaluate; None for the last of the file."""
    remove_known: bool = False
    with_importances: bool = False


class Evaluation(NamedTuple):
    """The evaluated parts, for the protocol its folds with the newest first, and the importances of features."""

    parts: Sequence[Part]
    important: Sequence[Importance]


def by_protocol(
    request: Request, on_progress: Progress, on_fold: Callable[[Part], None] = lambda _: None
) -> Evaluation:
    """Evaluate a model for each fold. Raises InvalidFile if there are too few days."""
    planned = prequential.planned_folds(
        request.source, request.protocol, _day(request.until), fewer=request.fewer_folds
    )
    history = prequential.read_history(request.source, request.fold, planned, on_progress)
    parts: list[Part] = []
    important: list[Importance] = []
    labelling = labelling_of(request.source)
    for result in prequential.run(history, planned, request.options, request.asked, labelling):
        parts.append(result.part)
        on_fold(result.part)
        if request.with_importances and not important:
            sampler = Sampler(request.options.seed, history.features.names)
            sampler.add(result.tested.rows, result.tested.frauds)
            important = importances(result.score_rows, sampler.sample(), request.options.seed)
    return Evaluation(parts, important)


def by_model(request: Request, model: Model, name: str, on_progress: Progress) -> Evaluation:
    """Evaluate a bundle at its own thresholds."""
    sampler = (
        Sampler(request.options.seed, request.fold.computation.features.names)
        if request.with_importances
        else None
    )
    scored_data = scored.by_model(request.source, request.fold, model, sampler, on_progress)
    part = _part(request, name, scored_data, model.thresholds)
    important = importances(model.score, sampler.sample(), request.options.seed) if sampler else []
    return Evaluation([part], important)


def by_file(request: Request, scores: ScoresFile, name: str, on_progress: Progress) -> Evaluation:
    """Evaluate a file of scores, at the outcomes of the file or at the shares of the options."""
    scored_data = scored.by_file(request.source, scores, on_progress)
    return Evaluation([_part(request, name, scored_data, scores.thresholds())], [])


def _part(request: Request, name: str, scored_data: ScoredDataset, thresholds: Thresholds | None) -> Part:
    chosen = scored_data.where(_period(request, scored_data))
    if not len(chosen):
        raise InvalidFile(f"{request.source.path} holds no transaction of the days to evaluate")
    if thresholds is None:
        review, decline = (
            share_threshold(chosen.scores, share)
            for share in (request.options.review_share, request.options.decline_share)
        )
        thresholds = Thresholds(review=review, decline=decline)
    return Part(name, chosen, figures(chosen, thresholds, request.asked))


def _period(request: Request, scored_data: ScoredDataset) -> np.ndarray:
    days = scored_data.days
    first, last = _day(request.since), _day(request.until)
    first, last = (days.min() if first is None else first), (days.max() if last is None else last)
    if not request.remove_known:
        return np.asarray((days >= first) & (days <= last))
    waits_from = first - request.protocol.delay_days
    fold = Fold(waits_from - request.protocol.train_days, waits_from, first, last + 1)
    return fold.tests(days, scored_data.customers, scored_data.frauds)


def _day(day: date | None) -> int | None:
    return None if day is None else day.toordinal() - EPOCH
