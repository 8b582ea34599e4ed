"""Checks an estimator before it is asked for scores: every object in it, at any depth of wrapping.

scikit-learn's native code walks trees without looking at their indexes, and its Python code trusts its own attributes. Both
rely on ``fit``, which made neither here. An estimator passes if

- each tree belongs to a classifier that compares the width of its rows with ``n_features_in_`` before the walk, and no node leads
  outside the tree or reads a column beyond that width;
- no attribute replaces a method or a constant of its class;
- no attribute makes a small file into a large or a long computation.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.preprocessing import PolynomialFeatures, QuantileTransformer
from sklearn.tree._tree import Tree

from app.adapters.models.checks import tree_owners
from app.errors import BundleCorrupt

MOST_STEPS = 64
"""Transformers, classifiers and wrappers, trees aside. Each takes up to milliseconds for a chunk."""
MOST_VISITS = 100_000
"""Nodes on the longest path of a row through all trees, some 0.5 ms in machine code; 1,000 unpruned trees have 40,000."""
MOST_COLUMNS = 2_048
"""Length of the axes of an array. Arithmetic of two arrays within this limit, of any shapes, gives at most 32 MiB."""
MOST_DEGREE = 16
"""Degree of polynomial features; their number is bounded by MOST_COLUMNS."""
_MATRIX = 2
_PLAIN = (str, int, float, type(None), np.generic)
_NOT_READ = {
    "coefs_paths_", "scores_", "n_iter_", "l1_ratio_", "loss_curve_", "train_score_", "validation_score_", "validation_scores_",
    "oob_decision_function_", "_sample_weight",
}  # fmt: skip
"""Attributes that record the fit. No method that scores reads them."""
_LISTS_OF_ARRAYS = {
    "coefs_",
    "intercepts_",
    "rotations_",
    "scalings_",
    "bin_thresholds_",
    "params",
    "velocities",
    "ms",
    "_best_coefs",
    "_best_intercepts",
    "vs",
}
"""Attributes of which scikit-learn takes one array at a time."""
_LONG = {"X_thresholds_", "y_thresholds_"}
"""The steps of an isotonic calibration, a row of numbers that is only searched."""
_TREE_LISTS = {"estimators_", "_predictors"}


def check(estimator: Any) -> None:
    """Raise BundleCorrupt unless the estimator is safe to run, see above. Other errors mean that it is malformed, too."""
    held = list(parts(estimator))
    owned, visits = tree_owners.check(held)
    trees = [part for part in held if isinstance(part, Tree | TreePredictor)]
    if any(id(tree) not in owned for tree in trees):
        raise BundleCorrupt("the model holds a tree outside of a classifier that checks its rows")
    if visits > MOST_VISITS:
        raise BundleCorrupt(
            f"a row may visit {visits:,} nodes of the model's trees, allowed are {MOST_VISITS:,}"
        )
    others = [part for part in held if not tree_owners.is_part_of_a_forest(part)]
    if sum(isinstance(part, BaseEstimator) for part in others) > MOST_STEPS:
        raise BundleCorrupt(f"the model has more than {MOST_STEPS} steps")
    for part in held:
        _check_names(part)
    for part in others:
        _check_sizes(part)


def parts(estimator: Any) -> Iterator[Any]:
    """Yield every object inside, and the estimator itself, once; plain values are left out."""
    stack, seen = [estimator], set()
    while stack:
        part = stack.pop()
        if isinstance(part, _PLAIN) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        stack += _inside(part)


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return [*part, *part.values()]
    if isinstance(part, list | tuple):
        return list(part)
    if isinstance(part, np.ndarray):
        return part.ravel().tolist() if part.dtype.hasobject else []
    return list(_attributes(part).values())


def _attributes(part: Any) -> dict[str, Any]:
    return {} if isinstance(part, type) else getattr(part, "__dict__", {})


def _check_names(part: Any) -> None:
    for name in _attributes(part):
        if not isinstance(name, str) or hasattr(type(part), name):
            raise BundleCorrupt(
                f"an attribute of the model's {type(part).__name__} replaces a part of its class"
            )


def _check_sizes(part: Any) -> None:
    for name, value in _attributes(part).items():
        if name not in _NOT_READ | _TREE_LISTS and not _is_small(name, value):
            raise BundleCorrupt(
                f"{name} of the model's {type(part).__name__} has more than {_MATRIX} axes, or one of more than {MOST_COLUMNS:,}"
            )
    if isinstance(part, PolynomialFeatures) and not (
        _is_count(vars(part)["_max_degree"], MOST_DEGREE)
        and _is_count(vars(part)["_n_out_full"], MOST_COLUMNS)
    ):
        raise BundleCorrupt(f"the model makes more than {MOST_COLUMNS:,} columns of its features")
    if isinstance(part, QuantileTransformer) and part.output_distribution not in {"uniform", "normal"}:
        raise BundleCorrupt("the model transforms its features to an unknown distribution")


def _is_small(name: str, value: Any) -> bool:
    if name in _LONG:
        return isinstance(value, np.ndarray) and value.ndim == 1
    if name in _LISTS_OF_ARRAYS and isinstance(value, list):
        return len(value) <= MOST_COLUMNS and all(map(_is_matrix, value))
    return _is_matrix(value)


def _is_matrix(value: Any) -> bool:
    shape = _shape(value)
    return len(shape) <= _MATRIX and max(shape, default=0) <= MOST_COLUMNS


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of the array that NumPy would make of a value; each axis as long as that of its longest item."""
    if not isinstance(value, np.ndarray | list | tuple):
        return ()
    own = value.shape if isinstance(value, np.ndarray) else (len(value),)
    inside = [_shape(item) for item in _inside(value) if not isinstance(item, _PLAIN)]
    return (*own, *map(max, zip_longest(*inside, fillvalue=0)))


def _is_count(value: Any, most: int) -> bool:
    return isinstance(value, int | np.integer) and bool(0 <= value <= most)
