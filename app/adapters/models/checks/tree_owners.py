"""Checks the classifiers that hold trees: what they hand to native code, and the trees themselves."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.tree._tree import Tree

from app.adapters.models.forests import boosted_nodes, check_nodes
from app.adapters.models.sklearn_forests import averaged_nodes
from app.errors import BundleCorrupt

CLASSES = 2
_SINGLE = (DecisionTreeClassifier, ExtraTreeClassifier)
_AVERAGED = (RandomForestClassifier, ExtraTreesClassifier)
_BOOSTED = HistGradientBoostingClassifier


def check(held: Iterable[Any]) -> tuple[set[int], int]:
    """Check every such classifier. Returns the ids of their trees, and the number of nodes that a row visits at most.

    Raises BundleCorrupt for what native code could not walk.
    """
    owned, visits = set[int](), 0
    for part in held:
        if type(part) in _SINGLE and hasattr(part, "tree_"):  # a forest's template has none
            visits += _check_single(part)
            owned.add(id(part.tree_))
        elif type(part) in _AVERAGED:
            _check_averaged(part)
        elif type(part) is _BOOSTED:
            for predictor in _boosted_trees(part):
                visits += check_nodes(boosted_nodes(predictor.nodes), part.n_features_in_)
                owned.add(id(predictor))
    return owned, visits


def is_part_of_a_forest(part: Any) -> bool:
    """Whether the object may be there a thousand times."""
    return isinstance(part, (*_SINGLE, Tree, TreePredictor))


def _check_single(classifier: Any) -> int:
    _require(
        type(classifier.tree_) is Tree
        and _is_number(classifier.n_features_in_)
        and _are(classifier, n_outputs_=1, n_classes_=CLASSES)
    )
    return check_nodes(averaged_nodes(classifier.tree_), classifier.n_features_in_)


def _check_averaged(forest: Any) -> None:
    trees = forest.estimators_
    _require(
        isinstance(trees, list)
        and len(trees) > 0
        and _is_number(forest.n_features_in_)
        and _are(forest, n_outputs_=1, n_classes_=CLASSES)
        # Each checks its own rows again; another classifier in the list might not.
        and all(type(tree) in _SINGLE and _are(tree, n_features_in_=forest.n_features_in_) for tree in trees)
    )


def _boosted_trees(classifier: Any) -> list[Any]:
    private = vars(classifier)
    _require(
        _is_number(classifier.n_features_in_)
        # A preprocessor would change the width after it was compared.
        and private["_preprocessor"] is None
        and _are(classifier, n_trees_per_iteration_=1, _n_features=classifier.n_features_in_)
        and not private.get("_in_fit", False)
        and _is_array(private["_baseline_prediction"], np.float64, (1, 1))
        and isinstance(private["_predictors"], list)
    )
    mapper = private["_bin_mapper"]
    _require(
        type(mapper) is _BinMapper
        and _is_array(mapper.is_categorical_, np.uint8, (classifier.n_features_in_,))
    )
    # scikit-learn would write to an address that it computes from the categories.
    if np.any(mapper.is_categorical_):
        raise BundleCorrupt("the model has categorical features; the catalog has none")
    predictors = [predictor for (predictor,) in private["_predictors"]]
    _require(
        all(type(one) is TreePredictor and _is_array(one.nodes, PREDICTOR_RECORD_DTYPE) for one in predictors)
    )
    return predictors


def _are(part: Any, **expected: int) -> bool:
    """Whether the attributes are these numbers, and not arrays or objects that compare as equal."""
    return all(
        _is_number(getattr(part, name)) and getattr(part, name) == value for name, value in expected.items()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | np.integer) and bool(value > 0)


def _is_array(value: Any, dtype: Any, shape: tuple[int, ...] | None = None) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.dtype == dtype
        and (value.ndim == 1 if shape is None else value.shape == shape)
    )


def _require(sound: bool) -> None:
    if not sound:
        raise BundleCorrupt("a tree of the model is malformed, or its classifier is")
