"""Evaluates decision trees row by row in machine code: their sums, and the contribution of each feature."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled
from app.scoring.model import Rows, Scores

LEAF = -1


class Trees(NamedTuple):
    """The nodes of all trees, as columns. A row goes left if its feature is at most the threshold."""

    feature: NDArray[np.int32]
    """Feature column of a split; LEAF for a leaf."""
    threshold: NDArray[np.float64]
    """Threshold of a split; value of a leaf."""
    left: NDArray[np.int32]
    """Index of the left child, which is behind its parent, as the right child is."""
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    """Whether a missing value goes left."""
    expected: NDArray[np.float64]
    """Mean of the leaves below a node, weighted by their training rows; the value of a leaf."""
    roots: NDArray[np.int32]


@compiled
def sums(trees: Trees, rows: Rows, baseline: float) -> Scores:
    """Return for each row the baseline plus the values of the trees, added in the order of the trees."""
    total = np.full(len(rows), baseline)
    for i in range(len(rows)):
        for root in trees.roots:
            node = root
            while trees.feature[node] != LEAF:
                node = _child(trees, node, rows[i])
            total[i] += trees.threshold[node]
    return total


@compiled
def contributions(trees: Trees, rows: Rows) -> Rows:
    """Return for each row and feature the sum of changes of the expected value at the splits on that feature.

    The contributions of a row plus the expected values of all roots equal the sum of the trees. This is the path
    attribution of Saabas ("Interpreting random forests", 2014), not Shapley values: a feature receives the changes at
    its own splits on the path of the row, and nothing for other paths.
    """
    found = np.zeros(rows.shape)
    for i in range(len(rows)):
        for root in trees.roots:
            node = root
            while trees.feature[node] != LEAF:
                below = _child(trees, node, rows[i])
                found[i, trees.feature[node]] += trees.expected[below] - trees.expected[node]
                node = below
    return found


@compiled
def _child(trees: Trees, node: int, row: NDArray[np.float64]) -> int:
    value = row[trees.feature[node]]
    if value <= trees.threshold[node] or (np.isnan(value) and trees.missing_left[node]):
        return int(trees.left[node])
    return int(trees.right[node])


@compiled
def fill_expected(trees: Trees, weight: NDArray[np.float64]) -> None:
    """Compute ``expected`` from the values of the leaves and the weights of the training rows at each node."""
    for node in range(len(trees.feature) - 1, -1, -1):
        if trees.feature[node] == LEAF:
            trees.expected[node] = trees.threshold[node]
        else:
            left, right = trees.left[node], trees.right[node]
            both = weight[left] * trees.expected[left] + weight[right] * trees.expected[right]
            trees.expected[node] = both / (weight[left] + weight[right])


@compiled
def logistic(log_odds: Scores) -> Scores:
    """The probability of each value. Equal to ``scipy.special.expit`` to the bit: the same formula on the same ``exp``."""
    found = np.empty(len(log_odds))
    for i in range(len(log_odds)):
        found[i] = 1 / (1 + math.exp(-log_odds[i]))
    return found
