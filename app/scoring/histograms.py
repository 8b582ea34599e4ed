"""Counts the values of many columns into bins, in machine code."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled
from app.scoring.model import Distribution, Rows

Counts = NDArray[np.int64]
"""Counts of all columns in one array: for each column its bins, then the rows without a value."""


class Bins(NamedTuple):
    """The edges of the bins of all columns, in one array."""

    edges: NDArray[np.float64]
    first: NDArray[np.int64]
    """Index of the first edge of each column, and at last the number of edges."""

    @property
    def cells(self) -> int:
        """Number of counts: a column with n edges has n + 1 bins and a count of missing values."""
        return len(self.edges) + 2 * (len(self.first) - 1)

    def split(self, counts: Counts) -> list[Counts]:
        """Return the counts of each column."""
        ends = self.first[1:-1] + 2 * np.arange(1, len(self.first) - 1)
        return np.split(counts, ends)


def bins(distributions: Sequence[Distribution]) -> Bins:
    """Return the bins of one distribution per column."""
    return Bins(
        np.array([edge for distribution in distributions for edge in distribution.edges], np.float64),
        np.array([0, *accumulate(len(distribution.edges) for distribution in distributions)], np.int64),
    )


@compiled
def count(bins: Bins, rows: Rows, counts: Counts) -> None:
    """Add the values of each row to ``counts``.

    Bin i holds ``edges[i-1] < value <= edges[i]``. A value that is not finite counts as missing.
    """
    for column in range(len(bins.first) - 1):
        begin, end = bins.first[column], bins.first[column + 1]
        for row in range(len(rows)):
            value = rows[row, column]
            if np.isfinite(value):
                low, high = begin, end
                while low < high:
                    middle = (low + high) // 2
                    if bins.edges[middle] < value:
                        low = middle + 1
                    else:
                        high = middle
                counts[low + 2 * column] += 1
            else:
                counts[end + 2 * column + 1] += 1
