"""The trees of a HistGradientBoostingClassifier, scored without the estimator's checks and threads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores


class Forest:
    """Scores as ``predict_proba`` does, in one thread and without validating the rows again.

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
        self._to_probability = parts["_loss"].link.inverse
        self._known_categories, self._category_index = parts["_bin_mapper"].make_known_categories_bitsets()

    def score(self, rows: Rows) -> Scores:
        total = np.full(len(rows), self._baseline)
        for tree in self._trees:
            total += tree.predict(rows, self._known_categories, self._category_index, 1)
        scores: Scores = self._to_probability(total)
        return scores


def _check_nodes(nodes: NDArray[Any], features: int) -> None:
    """Raise BundleCorrupt if walking the tree could leave it, never end, or read a column that is not there."""
    inner = nodes[nodes["is_leaf"] == 0]
    at = np.flatnonzero(nodes["is_leaf"] == 0)
    children = np.stack([inner["left"], inner["right"]]).astype(np.int64)
    sound = (
        len(nodes) > 0
        and bool(np.all(children > at) and np.all(children < len(nodes)))
        and bool(np.all((inner["feature_idx"] >= 0) & (inner["feature_idx"] < features)))
        and not inner["is_categorical"].any()
    )
    if not sound:
        raise BundleCorrupt("a tree of the model is malformed")
