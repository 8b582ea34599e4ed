"""Measures scores on held-out transactions, and chooses the thresholds."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from app.domain.decision import Thresholds
from app.scoring.model import Scores
from app.training.options import TrainingOptions

Metrics = dict[str, float | None]


def choose_thresholds(scores: Scores, frauds: NDArray[np.bool_], options: TrainingOptions) -> Thresholds:
    """Choose thresholds: review the share that people can handle, decline by the given share or precision."""
    review = share_threshold(scores, options.review_share)
    if options.decline_precision is None:
        decline = share_threshold(scores, options.decline_share)
    else:
        decline = precision_threshold(scores, frauds, options.decline_precision)
    return Thresholds(review=review, decline=max(review, decline))


def share_threshold(scores: Scores, share: float) -> float:
    """Return the score that about ``share`` of the transactions reach; at least one does."""
    alerts = max(1, round(share * len(scores)))
    return float(np.sort(scores)[-alerts])


def precision_threshold(scores: Scores, frauds: NDArray[np.bool_], precision: float) -> float:
    """Return the lowest score from which ``precision`` of the transactions are frauds; 1.0 if there is none."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    precisions = np.cumsum(frauds[order]) / np.arange(1, len(order) + 1)
    # Only the last of equal scores counts, because a threshold includes all of them.
    enough = (precisions >= precision) & np.append(ranked[1:] != ranked[:-1], True)
    return float(ranked[enough][-1]) if enough.any() else 1.0


def evaluate(scores: Scores, frauds: NDArray[np.bool_], thresholds: Thresholds, days: int) -> Metrics:
    """Return the figures of the ranking, and of alerts at each threshold. ``days`` is the length of the test."""
    both = 0 < frauds.sum() < len(frauds)
    metrics: Metrics = {
        "test_rows": len(frauds),
        "test_frauds": int(frauds.sum()),
        "test_days": days,
        "auc_roc": float(roc_auc_score(frauds, scores)) if both else None,
        "average_precision": float(average_precision_score(frauds, scores)) if both else None,
    }
    for name, threshold in (("review", thresholds.review), ("decline", thresholds.decline)):
        metrics |= _at(name, scores >= threshold, frauds, days)
    return metrics


def _at(name: str, alerted: NDArray[np.bool_], frauds: NDArray[np.bool_], days: int) -> Metrics:
    caught, alerts, all_frauds = int((alerted & frauds).sum()), int(alerted.sum()), int(frauds.sum())
    return {
        f"{name}_precision": caught / alerts if alerts else None,
        f"{name}_recall": caught / all_frauds if all_frauds else None,
        f"{name}_share": alerts / len(frauds),
        f"{name}_alerts_per_day": alerts / days,
    }
