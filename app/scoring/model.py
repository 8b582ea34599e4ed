"""The model interface: identity, thresholds, distributions of the training data, scores and contributions."""

from enum import StrEnum
from functools import cached_property
from itertools import accumulate, pairwise
from math import isfinite
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import Method, ModelReference, Thresholds

Rows = NDArray[np.float64]
"""Shape (events, features), in the catalog's order, NaN for missing."""
Scores = NDArray[np.float64]
"""Shape (events,), each in [0, 1]."""


class Distribution(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Distribution of a feature in the training data: the baseline of reasons and of drift."""

    edges: list[float]
    """Ascending inner edges of the bins; bin i holds ``edges[i-1] < value <= edges[i]``."""
    counts: list[int]
    """Training rows per bin, one more than edges."""
    missing: int
    """Training rows without a value."""
    median: float | None
    """Median of the legitimate rows that have a value; None if none has."""

    def __post_init__(self) -> None:
        # Machine code searches the edges, and counts of another length would end a worker at its first report of drift.
        if len(self.counts) != len(self.edges) + 1 or min(*self.counts, self.missing) < 0:
            raise ValueError("a distribution has one count of rows more than edges")
        if not all(map(isfinite, self.edges)) or any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("the edges of a distribution must ascend")
        if self.median is not None and not isfinite(self.median):
            raise ValueError("a median must be a finite number")

    @cached_property
    def shares(self) -> list[float]:
        """For each bin, the share of training rows in it or beyond it, on the rarer side; at most 1."""
        every = sum(self.counts)
        return [
            min(below, every - below + count) / max(every, 1)
            for below, count in zip(accumulate(self.counts), self.counts, strict=True)
        ]


class Scale(StrEnum):
    """The scale on which contributions add up."""

    LOG_ODDS = "log_odds"
    """log(p / (1 - p)) of the score p: a contribution c multiplies the odds by exp(c)."""
    PROBABILITY = "probability"
    """The score itself."""


class Contributions(NamedTuple):
    """Contributions of the features to the scores: ``base + values[i].sum()`` is the score of row i on ``scale``."""

    method: Method
    scale: Scale
    base: float
    """The score of a transaction of which nothing is known, on ``scale``."""
    values: Rows
    """Shape (events, features), in the catalog's order."""


class Model(Protocol):
    """A loaded and checked model. Scoring is pure: it neither keeps nor changes the rows."""

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

    def contributions(self, rows: Rows) -> Contributions | None:
        """Contributions of ``rows``, computed for alerts only. None if the model is of a kind without contributions."""
        ...
