"""What decides: a model with its identity, its thresholds and the population it was trained on."""

from enum import StrEnum
from functools import cached_property
from itertools import accumulate
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


class Scale(StrEnum):
    """What contributions are added up to."""

    LOG_ODDS = "log_odds"
    """log(p / (1 - p)) of the score p: a contribution c multiplies the odds by exp(c)."""
    PROBABILITY = "probability"
    """The score itself."""


class Contributions(NamedTuple):
    """What each feature had to do with the scores of some rows: ``base + values[i].sum()`` is row i's score on ``scale``."""

    method: Method
    scale: Scale
    base: float
    """What the model says of a transaction of which it knows nothing, on ``scale``."""
    values: Rows
    """Shape (events, features), in the catalog's order."""


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

    def contributions(self, rows: Rows) -> Contributions | None:
        """Asked for alerts only. None where the model is of a kind whose scores do not come apart."""
        ...
