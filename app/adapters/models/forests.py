"""The trees of a classifier, evaluated by compiled code without the estimator's checks, calls and threads.

``predict_proba`` costs 1.5 to 10 ms even for one row, and may start a thread per core. Compiled code costs about 2 µs a row
for a boosted model of 100 trees. It adds the values of the trees in the same order, so scores are equal to the bit.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.decision import Method
from app.errors import BundleCorrupt
from app.scoring.model import Contributions, Rows, Scale, Scores
from app.scoring.quick_scorer import Splits, quick_sums, splits_of
from app.scoring.trees import LEAF, Trees, contributions, fill_expected, logistic, sums

MOST_DEPTH = 1_000
"""Nodes on a path. Trees that are fitted without a limit have some 50."""
_LARGEST = 1e100
"""Values and weights below it give finite sums and products."""


class Forest(NamedTuple):
    """A forest whose scores equal ``predict_proba`` to the bit."""

    width: int
    """Columns of the rows."""
    trees: Trees
    splits: Splits | None
    """The same trees in QuickScorer form; None where they are too large for it and are walked node by node."""
    baseline: float
    scale: Scale
    see: Callable[[Rows], Rows]
    """Converts rows to the precision in which the estimator compares them."""
    to_probability: Callable[[Scores], Scores]
    """Converts the sum of the trees' values to a probability."""
    share: float
    """Weight of one tree in the score."""

    def equals(self, other: "Forest") -> bool:
        """Whether both have the same nodes to the bit, and so the same scores."""
        same_nodes = all(
            np.asarray(mine).tobytes() == np.asarray(theirs).tobytes()
            for mine, theirs in zip(self.trees, other.trees, strict=True)
        )
        return same_nodes and (self.baseline, self.scale) == (other.baseline, other.scale)

    def score(self, rows: Rows) -> Scores:
        """The fraud probability of each row, shape (rows,)."""
        seen = self._seen(rows)
        if self.splits is None:
            return self.to_probability(sums(self.trees, seen, self.baseline))
        return self.to_probability(quick_sums(self.splits, seen, self.baseline))

    def contributions(self, rows: Rows) -> Contributions:
        """The contribution of each feature of each row, on the scale of the trees' values."""
        base = self.baseline + self.share * float(self.trees.expected[self.trees.roots].sum())
        found = contributions(self.trees, self._seen(rows)) * self.share
        return Contributions(Method.TREE_PATHS, self.scale, base, found)

    def _seen(self, rows: Rows) -> Rows:
        # Compiled code reads columns without bounds checks.
        if rows.ndim != 2 or rows.shape[1] != self.width:
            raise ValueError(f"rows of shape {rows.shape} for a forest of {self.width} columns")
        return self.see(rows)


class Nodes(NamedTuple):
    """One tree's nodes as columns; children are numbered within the tree."""

    is_leaf: NDArray[np.bool_]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    """Number (or weight) of training rows that reached the node."""


def boosted_forest(predictors: Sequence[NDArray[Any]], baseline: float, width: int) -> Forest:
    """A boosted model for rows of ``width``, from the node table of each of its trees as scikit-learn stores it.

    Raises BundleCorrupt where walking a tree would read outside its arrays.
    """
    trees = _side_by_side([boosted_nodes(nodes) for nodes in predictors], width)
    return Forest(
        width=width,
        trees=trees,
        splits=splits_of(trees, width),
        baseline=baseline,
        scale=Scale.LOG_ODDS,
        see=lambda rows: rows,
        to_probability=logistic,
        share=1.0,
    )


def averaged_forest(nodes: Sequence[Nodes], width: int) -> Forest:
    """The mean of trees that each give a probability, for rows of ``width``. Raises BundleCorrupt as above."""
    number = len(nodes)
    trees = _side_by_side(nodes, width)
    return Forest(
        width=width,
        trees=trees,
        splits=splits_of(trees, width),
        baseline=0.0,
        scale=Scale.PROBABILITY,
        # scikit-learn compares values rounded to float32 with thresholds in float64 in these trees.
        # Without the rounding a value close to a threshold would take the other branch.
        see=lambda rows: rows.astype(np.float32).astype(np.float64),
        to_probability=lambda total: total / number,
        share=1 / max(number, 1),
    )


def boosted_nodes(nodes: NDArray[Any]) -> Nodes:
    """The nodes of a tree of a boosted model. Raises BundleCorrupt where it splits on categories."""
    # Category splits are bit sets in another table, which compiled code does not read.
    if nodes["is_categorical"].any():
        raise BundleCorrupt("a tree of the model is malformed: it splits on categories")
    return Nodes(
        is_leaf=nodes["is_leaf"] == 1,
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"],
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"] == 1,
        value=nodes["value"],
        weight=nodes["count"].astype(np.float64),
    )


def _side_by_side(trees: Sequence[Nodes], features: int) -> Trees:
    if not trees:
        raise BundleCorrupt("the model has no trees")
    for nodes in trees:
        check_nodes(nodes, features)
    lengths = [len(nodes.is_leaf) for nodes in trees]
    roots = np.cumsum([0, *lengths[:-1]])
    nodes, moved = Nodes(*map(np.concatenate, zip(*trees, strict=True))), np.repeat(roots, lengths)
    # One array per column for all trees: compiled code then follows indexes in contiguous memory. Children are numbered
    # within their tree, so each tree's numbers are moved by the position of its root.
    found = Trees(
        feature=np.where(nodes.is_leaf, LEAF, nodes.feature).astype(np.int32),
        # A leaf has no threshold and a split no value: one column holds both, so that the arrays stay small.
        threshold=np.where(nodes.is_leaf, nodes.value, nodes.threshold),
        left=(nodes.left + moved).astype(np.int32),
        right=(nodes.right + moved).astype(np.int32),
        missing_left=nodes.missing_left,
        expected=np.zeros(len(moved)),
        roots=roots.astype(np.int32),
    )
    fill_expected(found, nodes.weight)
    return found


def check_nodes(nodes: Nodes, features: int) -> int:
    """Raise BundleCorrupt unless the nodes form one tree, every feature exists and all numbers are finite. Returns its depth.

    Children after their parents exclude cycles; each node except the root having exactly one parent excludes anything but a
    tree. Compiled code walks without bounds checks, so a forged model must not get past this.
    """
    # All checks are array operations: a loop over the nodes of a large forest would delay the start of a worker.
    number, at = len(nodes.is_leaf), np.flatnonzero(~nodes.is_leaf)
    children = np.stack([nodes.left[at], nodes.right[at]])
    sound = (
        number > 0
        and bool(np.all(children > at) and np.all(children < number))
        and np.unique(children).size == children.size == number - 1
        and bool(np.all((nodes.feature[at] >= 0) & (nodes.feature[at] < features)))
        and bool(np.all((nodes.weight > 0) & (nodes.weight < _LARGEST)))
        # A split on infinity separates the missing values. A comparison with NaN would differ between implementations.
        and not bool(np.isnan(nodes.threshold[at]).any())
        and bool(np.all(np.abs(nodes.value) < _LARGEST))
    )
    if not sound:
        raise BundleCorrupt("a tree of the model is malformed")
    return _depth(nodes)


def _depth(nodes: Nodes) -> int:
    """The number of nodes on the longest path."""
    depth, level = 1, np.flatnonzero(~nodes.is_leaf[:1])
    while level.size:
        if depth >= MOST_DEPTH:
            raise BundleCorrupt(f"a tree of the model is deeper than {MOST_DEPTH:,} nodes")
        below = np.concatenate([nodes.left[level], nodes.right[level]])
        depth, level = depth + 1, below[~nodes.is_leaf[below]]
    return depth
