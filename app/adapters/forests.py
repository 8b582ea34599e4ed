r"""The trees of a HistGradientBoostingClassifier, scored without the estimator's checks and threads.

Asking 100 trees costs 0.4 ms however few the rows are, nearly all of it calls. So for few rows the trees are
asked in one call, joined to one tree whose top chooses by an added column, the number of the tree::

                 number <= 1.5 ?                 rows      one by one    joined
               /                 \                   1      0.42 ms     0.014 ms
       number <= 0.5 ?     number <= 2.5 ?           32      0.44 ms     0.18 ms
        /         \         /         \            500      1.56 ms     5.0 ms
     tree 0     tree 1    tree 2     tree 3

Both ways add the trees' values in the same order, so a score does not depend on its chunk by a single bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores

JOINED_ROWS = 64
"""Up to so many rows the joined tree is faster: above, every row copied for each tree no longer fits the cache."""


class Forest:
    """Scores as ``predict_proba`` does, to the bit, in one thread and without validating the rows again.

    ``predict_proba`` starts a thread per core wherever OpenMP was not told otherwise, and OpenMP is told
    thread by thread; so the number is given with each call, which only the trees themselves take.
    """

    def __init__(self, estimator: Any) -> None:
        # There is no public way to the trees. A release of scikit-learn that keeps them otherwise is noticed
        # at loading, here or by the golden rows.
        parts = vars(estimator)
        self._baseline = float(parts["_baseline_prediction"][0, 0])
        self._trees = [trees[0] for trees in parts["_predictors"]]
        for tree in self._trees:
            _check_nodes(tree.nodes, estimator.n_features_in_)
        self._joined = _join(self._trees, estimator.n_features_in_)
        self._numbers = np.arange(len(self._trees), dtype=np.float64)[:, np.newaxis]
        self._to_probability = parts["_loss"].link.inverse
        self._known_categories, self._category_index = parts["_bin_mapper"].make_known_categories_bitsets()

    def score(self, rows: Rows) -> Scores:
        total = self._sum_joined(rows) if 0 < len(rows) <= JOINED_ROWS else self._sum_one_by_one(rows)
        scores: Scores = self._to_probability(total)
        return scores

    def _sum_one_by_one(self, rows: Rows) -> NDArray[np.float64]:
        total = np.full(len(rows), self._baseline)
        for tree in self._trees:
            total += self._ask(tree, rows)
        return total

    def _sum_joined(self, rows: Rows) -> NDArray[np.float64]:
        trees, (count, features) = len(self._trees), rows.shape
        numbered = np.empty((trees, count, features + 1))
        numbered[:, :, :features] = rows
        numbered[:, :, features] = self._numbers
        values = self._ask(self._joined, numbered.reshape(trees * count, features + 1)).reshape(trees, count)
        values[0] += self._baseline
        # Not `sum`, which adds in pairs where it likes.
        total: NDArray[np.float64] = np.add.accumulate(values, axis=0)[-1]
        return total

    def _ask(self, tree: Any, rows: Rows) -> NDArray[np.float64]:
        values: NDArray[np.float64] = tree.predict(rows, self._known_categories, self._category_index, 1)
        return values


def _join(trees: list[Any], number_column: int) -> Any:
    """One tree: a balanced top of ``len(trees) - 1`` nodes, then each tree's nodes."""
    top = np.zeros(len(trees) - 1, dtype=trees[0].nodes.dtype)
    lengths = [len(tree.nodes) for tree in trees]
    starts = len(top) + np.cumsum([0, *lengths[:-1]])
    free = iter(range(len(top)))

    def choose(first: int, end: int) -> int:
        """The place of the node that tells the trees ``first <= number < end`` apart."""
        if end - first == 1:
            return int(starts[first])
        place, middle = next(free), (first + end) // 2
        top["feature_idx"][place], top["num_threshold"][place] = number_column, middle - 0.5
        top["left"][place], top["right"][place] = choose(first, middle), choose(middle, end)
        return place

    choose(0, len(trees))
    nodes = np.concatenate(
        [top, *(_moved(tree.nodes, start) for tree, start in zip(trees, starts, strict=True))]
    )
    return type(trees[0])(nodes, trees[0].binned_left_cat_bitsets, trees[0].raw_left_cat_bitsets)


def _moved(nodes: NDArray[Any], start: int) -> NDArray[Any]:
    """The nodes of a tree that begins at ``start``; a leaf's children are never looked at."""
    moved = nodes.copy()
    moved["left"] += np.uint32(start)
    moved["right"] += np.uint32(start)
    return moved


def _check_nodes(nodes: NDArray[Any], features: int) -> None:
    """Raise BundleCorrupt if walking the tree could leave it, never end, or read a column that is not there."""
    at = np.flatnonzero(nodes["is_leaf"] == 0)
    inner = nodes[at]
    children = np.stack([inner["left"], inner["right"]]).astype(np.int64)
    sound = (
        len(nodes) > 0
        and bool(np.all(children > at) and np.all(children < len(nodes)))
        and bool(np.all((inner["feature_idx"] >= 0) & (inner["feature_idx"] < features)))
        and not inner["is_categorical"].any()
    )
    if not sound:
        raise BundleCorrupt("a tree of the model is malformed")
