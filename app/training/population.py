"""Describes the training rows: distributions for reasons and drift, and golden rows that verify a loaded model."""

import numpy as np
from numpy.typing import NDArray

from app.computation.feature_set import FeatureSet
from app.scoring.model import Distribution, Rows, Scores
from app.training.absent import absent

GOLDEN_ROWS = 64
_NANS_PER_FEATURE = 2
_HIGHEST_SCORES = 8
_WITHOUT_ENTITIES = 8
# Steps of 5 %, and finer ones at both ends: reasons state how rare a value is, and values of alerts lie in the tails.
_TAIL = (0.0001, 0.001, 0.005, 0.01, 0.025)
_QUANTILES = (*_TAIL, *(i / 20 for i in range(1, 20)), *(1 - q for q in reversed(_TAIL)))

Values = NDArray[np.float64]


def distributions(
    rows: Rows, features: FeatureSet, frauds: NDArray[np.bool_], legitimate_share: float = 1.0
) -> dict[str, Distribution]:
    """Return the distribution of every feature, by name."""
    return {name: distribution(rows[:, i], frauds, legitimate_share) for i, name in enumerate(features.names)}


def distribution(values: Values, frauds: NDArray[np.bool_], legitimate_share: float = 1.0) -> Distribution:
    """Return the distribution of one feature, in bins between quantiles; equal quantiles share a bin.

    If only a share of the legitimate rows was kept, each kept row is weighted by its inverse.
    """
    known = np.isfinite(values)
    given, legitimate = values[known], values[known & ~frauds]
    edges = np.unique(np.quantile(given, _QUANTILES, method="inverted_cdf")) if len(given) else np.array([])
    weights = np.where(frauds, 1.0, 1 / legitimate_share)
    indexes = np.searchsorted(edges, given, side="left")
    counts = np.rint(np.bincount(indexes, weights[known], minlength=len(edges) + 1)).astype(np.int64)
    return Distribution(
        edges=edges.tolist(),
        counts=counts.tolist(),
        missing=round(weights[~known].sum()),
        median=float(np.median(legitimate)) if len(legitimate) else None,
    )


def golden_rows(rows: Rows, features: FeatureSet, scores: Scores) -> Rows:
    """Return rows that distinguish models: each feature missing where that occurs, the highest scores, scores over the
    whole range, and rows with the highest scores but without entity features.
    """
    ranked = np.argsort(scores, kind="stable")
    missing = [np.flatnonzero(column)[:_NANS_PER_FEATURE] for column in np.isnan(rows).T]
    spread = ranked[np.linspace(0, len(ranked) - 1, GOLDEN_ROWS).astype(np.int64)]
    wanted = np.concatenate([*missing, ranked[-_HIGHEST_SCORES:], spread])
    _, first = np.unique(wanted, return_index=True)
    highest = ranked[-_WITHOUT_ENTITIES:] if len(features.delayed) else ranked[:0]
    without_entities = absent(rows[highest], features.delayed)
    chosen = rows[wanted[np.sort(first)][: GOLDEN_ROWS - len(without_entities)]]
    return np.concatenate([chosen, without_entities])
