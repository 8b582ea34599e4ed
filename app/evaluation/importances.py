"""Permutation importance: the loss of ranking quality of a model when the values of one feature are permuted.

Breiman, "Random forests" (2001), section 10, with average precision instead of the error. Correlated features replace each
other, so each of them looks less important than it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.metrics import average_precision_score

from app.scoring.model import Rows, Scores
from app.training.scored_dataset import Flags

MOST_FRAUDS, MOST_LEGITIMATE = 2_000, 18_000
_REPEATS = 2


class Sample(NamedTuple):
    """A sample of the rows of a history, stratified by label."""

    names: tuple[str, ...]
    """The features, which are the columns of the rows."""
    rows: Rows
    frauds: Flags
    weights: np.ndarray
    """Number of rows of the history that each sampled row represents."""


class Importance(NamedTuple):
    """Importance of one feature: the loss of average precision, as the mean of the repeats."""

    feature: str
    loss: float


class Sampler:
    """Draws a seeded, uniform sample of bounded size from a history of any length."""

    def __init__(self, seed: int, names: tuple[str, ...]) -> None:
        self._names, width = names, len(names)
        self._frauds = _Reservoir(MOST_FRAUDS, seed, width)
        self._others = _Reservoir(MOST_LEGITIMATE, seed + 1, width)

    def add(self, rows: Rows, frauds: Flags) -> None:
        self._frauds.add(rows[frauds])
        self._others.add(rows[~frauds])

    def sample(self) -> Sample:
        parts = (self._frauds, self._others)
        weights = [np.full(len(part.rows), part.seen / max(1, len(part.rows))) for part in parts]
        frauds = np.arange(sum(len(part.rows) for part in parts)) < len(self._frauds.rows)
        rows = np.concatenate([part.rows for part in parts])
        return Sample(self._names, rows, frauds, np.concatenate(weights))


class _Reservoir:
    """Keeps the rows with the smallest random keys, which is a uniform sample of all rows so far."""

    def __init__(self, most: int, seed: int, width: int) -> None:
        self._most, self._random = most, np.random.default_rng(seed)
        self.rows, self._keys, self.seen = np.empty((0, width)), np.empty(0), 0

    def add(self, rows: Rows) -> None:
        self.seen += len(rows)
        keys = np.concatenate([self._keys, self._random.random(len(rows))])
        kept = np.sort(np.argsort(keys, kind="stable")[: self._most])
        self.rows, self._keys = np.concatenate([self.rows, rows])[kept], keys[kept]


def importances(score: Callable[[Rows], Scores], sample: Sample, seed: int) -> list[Importance]:
    """Return the importances, highest first; empty without both frauds and legitimate transactions."""
    if not 0 < sample.frauds.sum() < len(sample.frauds):
        return []
    random = np.random.default_rng(seed)
    whole = _precision(score(sample.rows), sample)
    found = []
    for at, name in enumerate(sample.names):
        rows = sample.rows.copy()
        lost = []
        for _ in range(_REPEATS):
            rows[:, at] = random.permutation(sample.rows[:, at])
            lost.append(whole - _precision(score(rows), sample))
        found.append(Importance(name, float(np.mean(lost))))
    return sorted(found, key=lambda one: -one.loss)


def _precision(scores: Scores, sample: Sample) -> float:
    return float(average_precision_score(sample.frauds, scores, sample_weight=sample.weights))
