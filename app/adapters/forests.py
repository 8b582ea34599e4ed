"""The trees of a HistGradientBoostingClassifier, scored without the estimator's checks, calls and threads.

``predict_proba`` costs 1.5 ms however few the rows are and starts a thread per core. Walked in machine code a row
costs 1 to 2 µs, alone or among thousands; and the values are added in the same order, so the score is the same
to the bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores
from app.scoring.trees import LEAF, Trees, sums


class Forest:
    """Scores as ``predict_proba`` does, to the bit."""

    def __init__(self, estimator: Any) -> None:
        # There is no public way to the trees. A release of scikit-learn that keeps them otherwise is noticed
        # at loading, here or by the golden rows.
        parts = vars(estimator)
        trees = [trees[0].nodes for trees in parts["_predictors"]]
        for nodes in trees:
            _check_nodes(nodes, estimator.n_features_in_)
        self._trees = _side_by_side(trees)
        self._baseline = float(parts["_baseline_prediction"][0, 0])
        self._to_probability = parts["_loss"].link.inverse

    def score(self, rows: Rows) -> Scores:
        scores: Scores = self._to_probability(sums(self._trees, rows, self._baseline))
        return scores


def _side_by_side(trees: list[NDArray[Any]]) -> Trees:
    lengths = [len(nodes) for nodes in trees]
    roots = np.cumsum([0, *lengths[:-1]])
    nodes, moved = np.concatenate(trees), np.repeat(roots, lengths)
    is_leaf = nodes["is_leaf"] == 1
    return Trees(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]).astype(np.int32),
        threshold=np.where(is_leaf, nodes["value"], nodes["num_threshold"]),
        left=(nodes["left"] + moved).astype(np.int32),
        right=(nodes["right"] + moved).astype(np.int32),
        missing_left=nodes["missing_go_to_left"] == 1,
        roots=roots.astype(np.int32),
    )


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
