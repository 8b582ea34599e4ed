"""How well scores rank frauds, with a weight for each customer, so that customers can be drawn anew."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from app.scoring.model import Scores
from app.trials.paired import Paired

Weights = NDArray[np.float64]
"""By customer: how often they were drawn."""
FIGURES = ("auc_roc", "average_precision", "card_precision")


class CardDays(NamedTuple):
    """Each customer on each day: their highest score, and whether any transaction was a fraud. Ordered by day, and
    within a day from the highest score down.
    """

    customers: NDArray[np.int64]
    frauds: NDArray[np.bool_]
    begins: NDArray[np.intp]
    """Where each day begins."""


class Ranking:
    """One model's scores, prepared to be weighed many times."""

    def __init__(self, paired: Paired, scores: Scores, budget: int) -> None:
        self._customers, self._frauds = paired.customers, paired.labels
        self._scores = scores
        self._budget = budget
        self._card_days = _card_days(paired, scores)

    def figures(self, weights: Weights) -> dict[str, float]:
        """NaN where both kinds of transactions are needed and only one was drawn."""
        drawn = weights[self._customers]
        some = drawn > 0
        frauds, scores, drawn = self._frauds[some], self._scores[some], drawn[some]
        both = bool(frauds.any()) and not frauds.all()
        return {
            "auc_roc": float(roc_auc_score(frauds, scores, sample_weight=drawn)) if both else np.nan,
            "average_precision": float(average_precision_score(frauds, scores, sample_weight=drawn))
            if both
            else np.nan,
            "card_precision": card_precision(self._card_days, weights, self._budget),
        }


def card_precision(days: CardDays, weights: Weights, budget: int) -> float:
    """Of the ``budget`` customers with the highest scores of a day, how many were defrauded; the mean over the days.
    A defrauded customer who was found is not looked for again.
    """
    left, precisions = weights.copy(), []
    for begin, end in zip(days.begins, [*days.begins[1:], len(days.customers)], strict=True):
        customers, frauds = days.customers[begin:end], days.frauds[begin:end]
        drawn = left[customers]
        before = np.cumsum(drawn) - drawn
        taken = np.clip(budget - before, 0, drawn)
        if taken.sum():
            precisions.append(float(taken[frauds].sum() / budget))
        left[customers[frauds & (taken > 0)]] = 0
    return float(np.mean(precisions)) if precisions else np.nan


def _card_days(paired: Paired, scores: Scores) -> CardDays:
    days, customers = paired.days, paired.customers
    order = np.lexsort((customers, days))
    days, customers = days[order], customers[order]
    first = np.flatnonzero(np.r_[True, (days[1:] != days[:-1]) | (customers[1:] != customers[:-1])])
    highest = np.maximum.reduceat(scores[order], first)
    frauds = np.logical_or.reduceat(paired.labels[order], first)
    days, customers = days[first], customers[first]
    ranked = np.lexsort((customers, -highest, days))
    days = days[ranked]
    return CardDays(customers[ranked], frauds[ranked], np.flatnonzero(np.r_[True, days[1:] != days[:-1]]))
