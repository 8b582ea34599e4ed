"""A forest of decision trees, walked row by row in machine code."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled
from app.scoring.model import Rows, Scores

LEAF = -1


class Trees(NamedTuple):
    """The nodes of all trees side by side, as columns. A row goes left where its feature is at most the threshold."""

    feature: NDArray[np.int32]
    """Column of the rows; LEAF for a leaf."""
    threshold: NDArray[np.float64]
    """Of a leaf: its value."""
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    """Where a NaN goes."""
    roots: NDArray[np.int32]


@compiled
def sums(trees: Trees, rows: Rows, baseline: float) -> Scores:
    """The baseline and, in the trees' order, each tree's value: one sum a row."""
    total = np.full(len(rows), baseline)
    for i in range(len(rows)):
        for root in trees.roots:
            total[i] += trees.threshold[_leaf(trees, root, rows[i])]
    return total


@compiled
def _leaf(trees: Trees, root: int, row: NDArray[np.float64]) -> int:
    node = root
    while trees.feature[node] != LEAF:
        value = row[trees.feature[node]]
        if value <= trees.threshold[node] or (np.isnan(value) and trees.missing_left[node]):
            node = trees.left[node]
        else:
            node = trees.right[node]
    return node
