"""Reads the trees of a fitted scikit-learn classifier from its attributes.

Some of them are private. A release of scikit-learn that stores trees differently fails at loading, here or at the golden
rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models.forests import Forest, Nodes, averaged_forest, boosted_forest
from app.errors import BundleCorrupt

_CLASSES = 2
_NO_CHILD = -1


def forest_of(estimator: Any, width: int) -> Forest | None:
    """The trees of a boosted or averaged forest for rows of ``width``; None for any other estimator.

    Raises BundleCorrupt where walking a tree, here or in scikit-learn, would read outside its arrays.
    """
    if isinstance(estimator, HistGradientBoostingClassifier):
        return _boosted(estimator, width)
    if isinstance(estimator, RandomForestClassifier | ExtraTreesClassifier):
        return _averaged(estimator.estimators_, width)
    if isinstance(estimator, DecisionTreeClassifier):
        return _averaged([estimator], width)
    return None


def _boosted(estimator: Any, width: int) -> Forest:
    parts = vars(estimator)
    if np.any(parts["_bin_mapper"].is_categorical_):
        raise BundleCorrupt("the model has categorical features; the catalog has none")
    predictors = [nodes.nodes for (nodes,) in parts["_predictors"]]
    return boosted_forest(predictors, float(parts["_baseline_prediction"][0, 0]), width)


def _averaged(estimators: Sequence[Any], width: int) -> Forest:
    return averaged_forest([averaged_nodes(estimator.tree_) for estimator in estimators], width)


def averaged_nodes(tree: Any) -> Nodes:
    """The nodes of a tree that gives probabilities. Raises BundleCorrupt where it claims more than it has."""
    # A forged tree can claim more nodes than it has memory for. Check the counts before any of its arrays is read.
    if not 0 < tree.node_count == tree.capacity or (tree.n_outputs, tree.max_n_classes) != (1, _CLASSES):
        raise BundleCorrupt("a tree of the model is malformed")
    nodes = tree.__getstate__()["nodes"]
    return Nodes(
        is_leaf=nodes["left_child"] == _NO_CHILD,
        feature=nodes["feature"].astype(np.int64),
        threshold=nodes["threshold"],
        left=nodes["left_child"].astype(np.int64),
        right=nodes["right_child"].astype(np.int64),
        missing_left=nodes["missing_go_to_left"] == 1,
        value=tree.value[:, 0, 1].copy(),
        weight=nodes["weighted_n_node_samples"].copy(),
    )
