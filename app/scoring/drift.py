"""Drift: how far scored transactions differ from the training data of a model, as the population stability index.

With e and a the shares of training rows and of recent ones in a bin, and one bin for a missing value::

    PSI = sum over bins of (a - e) * ln(a / e)

It is the sum of both relative entropies (Jeffreys' divergence): never negative, 0 for equal shares, and symmetric. A share
below LEAST_SHARE counts as LEAST_SHARE, because one empty bin would make the index infinite. By convention a population
is stable below 0.1 and has changed from 0.25 (Siddiqi, "Credit Risk Scorecards", 2006). For equal populations, n rows in
k bins give about k / n by chance, so few rows are not meaningful.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from app.computation.feature_set import SHIPPED
from app.scoring.histograms import Counts, bins, count
from app.scoring.model import Distribution, Rows, Scores

LEAST_SHARE = 1e-4
"""Smallest share of a bin in the formula."""
FEWEST_ROWS = 1_000
"""Fewest rows for an index. Below, chance alone changes it by hundredths."""
SCORE = "score"
_BLOCKS = 20
"""Parts of the window; the oldest is evicted as a whole, so that no row needs to be stored."""


def psi(expected: ArrayLike, found: ArrayLike) -> float:
    """Return the index of two histograms with the same bins; 0 if one of them is empty."""
    before, now = np.asarray(expected, np.float64), np.asarray(found, np.float64)
    if not before.sum() or not now.sum():
        return 0.0
    e, a = (np.maximum(counts / counts.sum(), LEAST_SHARE) for counts in (before, now))
    return float(np.sum((a - e) * np.log(a / e)))


class Drift(NamedTuple):
    """Drift of one feature, or of the score."""

    name: str
    psi: float
    missing_before: float
    """Share of training rows without a value."""
    missing_now: float
    """Share of recent rows without a value."""


class Reference(NamedTuple):
    """Distributions of the training data of a model."""

    distributions: Mapping[str, Distribution]
    """By feature name; a feature without a distribution is not compared."""
    scores: Distribution


class Recent:
    """Compares the last ``window`` rows with a reference, in constant memory; evicts a twentieth of the window at a time."""

    def __init__(self, reference: Reference, window: int, names: tuple[str, ...] = SHIPPED.names) -> None:
        nothing = Distribution(edges=[], counts=[0], missing=0, median=None)
        of_features = [reference.distributions.get(name, nothing) for name in names]
        self._expected = [*of_features, reference.scores]
        self._features, self._scores = bins(of_features), bins([reference.scores])
        self._block_rows = max(window // _BLOCKS, 1)
        self._in_block = 0
        self._blocks = np.zeros((_BLOCKS, self._features.cells + self._scores.cells), np.int64)
        self._block = 0
        self._names = (*names, SCORE)
        self.observe(np.empty((0, len(names))), np.empty(0))  # loads the machine code before the first chunk

    def observe(self, rows: Rows, scores: Scores) -> bool:
        """Count scored rows. Returns True if a block is full, which is the time to compute the indexes again."""
        counts, cells = self._blocks[self._block], self._features.cells
        count(self._features, np.ascontiguousarray(rows), counts[:cells])
        # Contiguous arrays: for another memory layout, numba would compile the function again while the worker waits.
        count(self._scores, np.ascontiguousarray(scores).reshape(-1, 1), counts[cells:])
        self._in_block += len(rows)
        if self._in_block < self._block_rows:
            return False
        self._block, self._in_block = (self._block + 1) % _BLOCKS, 0
        self._blocks[self._block] = 0
        return True

    @property
    def rows(self) -> int:
        """Number of rows that are compared with the reference."""
        return int(self._blocks[:, self._features.cells :].sum())

    def drifts(self) -> list[Drift]:
        """Return the drift of every feature with a distribution, in the order of a row, and of the score at last."""
        counts, cells = self._blocks.sum(axis=0), self._features.cells
        found = [*self._features.split(counts[:cells]), *self._scores.split(counts[cells:])]
        pairs = zip(self._names, self._expected, found, strict=True)
        return [
            _drift(name, np.array([*expected.counts, expected.missing]), now)
            for name, expected, now in pairs
            if expected.edges or expected.missing
        ]


def _drift(name: str, before: Counts, now: Counts) -> Drift:
    return Drift(name, psi(before, now), _last_share(before), _last_share(now))


def _last_share(counts: Counts) -> float:
    return float(counts[-1] / max(counts.sum(), 1))
