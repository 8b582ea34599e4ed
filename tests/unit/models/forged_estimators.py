"""Estimators with a part that fit would not make."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models import skops_files
from app.adapters.models.estimators import scorers_of
from app.errors import BundleCorrupt

FEATURES = 5
USUAL = np.zeros((1, FEATURES))
RANDOM = np.random.default_rng(4)
ROWS = RANDOM.normal(size=(300, FEATURES))
FRAUDS = (ROWS[:, 0] + RANDOM.normal(size=300) > 1).astype(np.int64)
FAR = 2**40


def fitted(estimator: Any) -> Any:
    return estimator.fit(ROWS, FRAUDS)


def single(kind: type[Any] = DecisionTreeClassifier, **nodes: float) -> Any:
    """A tree with these values in the columns of its root."""
    classifier = fitted(kind(max_depth=3, random_state=0))
    state = classifier.tree_.__getstate__()
    for column, value in nodes.items():
        state["nodes"][column][0] = value
    classifier.tree_.__setstate__(state)
    return classifier


def forged() -> Any:
    return single(left_child=FAR, right_child=FAR, feature=0)


def averaged(kind: type[Any], change: Callable[[Any], None]) -> Any:
    forest = fitted(kind(n_estimators=3, max_depth=3, random_state=0))
    change(forest)
    return forest


def boosted(change: Callable[[Any], None] = lambda _: None) -> Any:
    model = fitted(HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=4, random_state=0))
    change(model)
    return model


def sound() -> Any:
    return fitted(LogisticRegression())


def calibrated(inner: Any) -> Any:
    """Calibrated as a sound model, whose place ``inner`` takes."""
    model = fitted(CalibratedClassifierCV(FrozenEstimator(sound())))
    model.estimator = FrozenEstimator(inner)
    model.calibrated_classifiers_[0].estimator = FrozenEstimator(inner)
    return model


def holding(estimator: Any, /, **attributes: Any) -> Any:
    vars(estimator).update(attributes)
    return estimator


def imputer() -> Any:
    return SimpleImputer().fit(ROWS)


def scaler(**attributes: Any) -> Any:
    return holding(StandardScaler().fit(ROWS), **attributes)


def refusal(estimator: Any) -> str:
    """Why the estimator is refused, stored and loaded as it is in a bundle."""
    stored = skops_files.dumps(estimator)
    with pytest.raises(BundleCorrupt) as caught:
        scorers_of(skops_files.loads(stored), USUAL)
    return str(caught.value)
