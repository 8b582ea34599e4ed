"""What an evaluation finds: the figures of one part of a history, and the mean of several."""

import statistics
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from app.domain.decision import Thresholds
from app.training import metrics
from app.training.judged import Judged
from app.training.metrics import AtThreshold, ByPattern, Costs

EPOCH = date(1970, 1, 1).toordinal()
MEANS = ("auc_roc", "average_precision", "card_precision", "brier")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures hang on besides scores and truth."""

    top_k: int = 100
    """Customers that are looked at a day, for card precision."""
    costs: Costs = Costs()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """None where a figure is not defined, for want of frauds or of rows."""

    first_day: date
    last_day: date
    """UTC."""
    rows: int
    frauds: int
    auc_roc: float | None
    average_precision: float | None
    card_precision: float | None
    brier: float | None
    review: AtThreshold
    decline: AtThreshold
    patterns: list[ByPattern]


class Part(NamedTuple):
    """Transactions judged by one model, and what was found."""

    name: str
    judged: Judged
    figures: Figures


def figures(judged: Judged, thresholds: Thresholds, asked: Asked) -> Figures:
    """Every figure of these transactions, of which there must be one."""
    first, last = (date.fromordinal(EPOCH + int(day)) for day in (judged.days.min(), judged.days.max()))
    return Figures(
        first_day=first,
        last_day=last,
        rows=len(judged),
        frauds=int(judged.frauds.sum()),
        auc_roc=metrics.auc_roc(judged.scores, judged.frauds),
        average_precision=metrics.average_precision(judged.scores, judged.frauds),
        card_precision=metrics.card_precision(judged, asked.top_k),
        brier=metrics.brier(judged.scores, judged.frauds),
        review=metrics.at_threshold(judged, thresholds.review, asked.costs),
        decline=metrics.at_threshold(judged, thresholds.decline, asked.costs),
        patterns=metrics.by_pattern(judged, thresholds),
    )


def means(parts: Sequence[Part]) -> dict[str, float | None]:
    """Of the ranking figures over the folds; None where a fold has none."""
    return {name: _over(parts, name, statistics.fmean) for name in MEANS}


def deviations(parts: Sequence[Part]) -> dict[str, float | None]:
    """Standard deviations over the folds, of the population."""
    return {name: _over(parts, name, statistics.pstdev) for name in MEANS}


def _over(parts: Sequence[Part], name: str, function: Callable[[list[float]], float]) -> float | None:
    values = [getattr(part.figures, name) for part in parts]
    return None if None in values else function(values)
