"""What decides: a model with its identity, its thresholds and the population it was trained on."""

from functools import cached_property
from itertools import accumulate
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import ModelReference, Thresholds

Rows = NDArray[np.float64]
"""Shape (events, features), in the catalog's order, NaN for missing."""
Scores = NDArray[np.float64]
"""Shape (events,), each in [0, 1]."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """How a feature lay in the training data: the baseline of reasons, and later of drift."""

    edges: list[float]
    """Ascending inner edges of the bins; bin i holds ``edges[i-1] < value <= edges[i]``."""
    counts: list[int]
    """Training rows per bin, one more than edges."""
    missing: int
    """Training rows without a value."""
    median: float | None
    """Of the legitimate rows that have a value; None where none has."""

    @cached_property
    def shares(self) -> list[float]:
        """For each bin the share of training rows in it or beyond it, on the rarer side; at most 1."""
        every = sum(self.counts)
        return [
            min(below, every - below + count) / max(every, 1)
            for below, count in zip(accumulate(self.counts), self.counts, strict=True)
        ]


class Model(Protocol):
    """A loaded, checked model. Scoring is pure: it neither keeps nor changes the rows."""

    @property
    def reference(self) -> ModelReference: ...

    @property
    def thresholds(self) -> Thresholds: ...

    @property
    def distributions(self) -> dict[str, Distribution]:
        """By feature name."""
        ...

    def score(self, rows: Rows) -> Scores:
        """Probabilities of fraud for ``rows``; never NaN."""
        ...
