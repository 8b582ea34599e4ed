"""The figures of one part of a history, and their means and deviations over several parts."""

import statistics
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from app.domain.decision import Thresholds
from app.training import metrics
from app.training.metrics import AtThreshold, ByPattern, Costs
from app.training.scored_dataset import ScoredDataset

EPOCH = date(1970, 1, 1).toordinal()
MEANS = ("auc_roc", "average_precision", "card_precision", "brier")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the figures."""

    top_k: int = 100
    """Customers that people can review in a day, for card precision."""
    costs: Costs = Costs()


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one part; None if a figure is not defined because frauds or rows are missing."""

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
    """Transactions scored by one model, and their figures."""

    name: str
    scored: ScoredDataset
    figures: Figures


def figures(scored: ScoredDataset, thresholds: Thresholds, asked: Asked) -> Figures:
    """Return every figure of these transactions; there must be at least one."""
    first, last = (date.fromordinal(EPOCH + int(day)) for day in (scored.days.min(), scored.days.max()))
    return Figures(
        first_day=first,
        last_day=last,
        rows=len(scored),
        frauds=int(scored.frauds.sum()),
        auc_roc=metrics.auc_roc(scored.scores, scored.frauds),
        average_precision=metrics.average_precision(scored.scores, scored.frauds),
        card_precision=metrics.card_precision(scored, asked.top_k),
        brier=metrics.brier(scored.scores, scored.frauds),
        review=metrics.at_threshold(scored, thresholds.review, asked.costs),
        decline=metrics.at_threshold(scored, thresholds.decline, asked.costs),
        patterns=metrics.by_pattern(scored, thresholds),
    )


def means(parts: Sequence[Part]) -> dict[str, float | None]:
    """Return the means of the ranking figures over the folds; None if a fold has none."""
    return {name: _over(parts, name, statistics.fmean) for name in MEANS}


def deviations(parts: Sequence[Part]) -> dict[str, float | None]:
    """Return the population standard deviations of the ranking figures over the folds."""
    return {name: _over(parts, name, statistics.pstdev) for name in MEANS}


def _over(parts: Sequence[Part], name: str, function: Callable[[list[float]], float]) -> float | None:
    values = [getattr(part.figures, name) for part in parts]
    return None if None in values else function(values)
