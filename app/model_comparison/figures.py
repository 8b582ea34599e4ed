"""Ranking figures with a weight for each customer, for the bootstrap over customers."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from app.model_comparison.paired import Paired
from app.scoring.card_precision import Weights, card_days, card_precision
from app.scoring.model import Scores

FIGURES = ("auc_roc", "average_precision", "card_precision")


class Ranking:
    """The scores of one model, prepared for many computations with other weights."""

    def __init__(self, paired: Paired, scores: Scores, budget: int) -> None:
        self._customers, self._frauds = paired.customers, paired.labels
        self._scores = scores
        self._budget = budget
        self._card_days = card_days(paired.days, paired.customers, scores, paired.labels)

    def figures(self, weights: Weights) -> dict[str, float]:
        """Return the figures by name; NaN if the draw contains only frauds or only legitimate transactions."""
        drawn = weights[self._customers]
        some = drawn > 0
        frauds, scores, drawn = self._frauds[some], self._scores[some], drawn[some]
        both = bool(frauds.any()) and not frauds.all()
        precision = card_precision(self._card_days, self._budget, weights)
        return {
            "auc_roc": float(roc_auc_score(frauds, scores, sample_weight=drawn)) if both else np.nan,
            "average_precision": float(average_precision_score(frauds, scores, sample_weight=drawn))
            if both
            else np.nan,
            "card_precision": np.nan if precision is None else precision,
        }
