"""Decision trees, walked row by row in machine code: what they say, and what each feature had to do with it."""

import math
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
    """Behind its parent, as right is."""
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    """Where a NaN goes."""
    expected: NDArray[np.float64]
    """The mean of the leaves below a node, weighted by the training rows that came to them; of a leaf its value."""
    roots: NDArray[np.int32]


@compiled
def sums(trees: Trees, rows: Rows, baseline: float) -> Scores:
    """The baseline and, in the trees' order, each tree's value: one sum a row."""
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
    """For each row and feature, by how much the expected value changed where a tree asked for that feature.

    A row's contributions and the expected values of all roots add up to its sum of the trees' values, whatever the
    trees. This is the path attribution of Saabas ("Interpreting random forests", 2014), not Shapley's values: a
    feature is given what its own splits did on this row's way, and nothing for the ways not taken.
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
    """Write ``expected`` from the leaves' values and the training rows at each node."""
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
