"""Many columns counted into their bins at once, in machine code."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled
from app.scoring.model import Distribution, Rows

Counts = NDArray[np.int64]
"""Of all columns side by side: of each the bins of its distribution, then the rows without a value."""


class Bins(NamedTuple):
    """The edges of all columns side by side."""

    edges: NDArray[np.float64]
    first: NDArray[np.int64]
    """Where the edges of each column begin, and at last where they end."""

    @property
    def cells(self) -> int:
        """How many counts there are."""
        return len(self.edges) + 2 * (len(self.first) - 1)

    def split(self, counts: Counts) -> list[Counts]:
        """The counts of each column."""
        ends = self.first[1:-1] + 2 * np.arange(1, len(self.first) - 1)
        return np.split(counts, ends)


def bins(distributions: Sequence[Distribution]) -> Bins:
    """Of one distribution for each column."""
    return Bins(
        np.array([edge for distribution in distributions for edge in distribution.edges], np.float64),
        np.array([0, *accumulate(len(distribution.edges) for distribution in distributions)], np.int64),
    )


@compiled
def count(bins: Bins, rows: Rows, counts: Counts) -> None:
    """Add each row's values; bin i holds ``edges[i-1] < value <= edges[i]``, and what is not finite is no value."""
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
