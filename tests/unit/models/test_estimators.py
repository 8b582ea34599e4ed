"""Composed models score as scikit-learn does, and a forged tree inside is refused before it is traversed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator

from app.adapters.models import skops_files
from app.adapters.models.estimators import scorers_of
from app.errors import BundleCorrupt

FEATURES = 5
USUAL = np.zeros((1, FEATURES))
RANDOM = np.random.default_rng(4)
ROWS = RANDOM.normal(size=(600, FEATURES))
FRAUDS = (ROWS[:, 0] + RANDOM.normal(size=600) > 1.5).astype(np.int64)
NEW_ROWS = np.where(RANDOM.random((200, FEATURES)) < 0.1, np.nan, RANDOM.normal(size=(200, FEATURES)))


def boosted() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=4, random_state=0)


def calibrated(method: str) -> CalibratedClassifierCV:
    fitted = boosted().fit(ROWS[:400], FRAUDS[:400])
    return CalibratedClassifierCV(FrozenEstimator(fitted), method=method).fit(ROWS[400:], FRAUDS[400:])


MADE: dict[str, Callable[[], Any]] = {
    "sigmoid": lambda: calibrated("sigmoid"),
    "isotonic": lambda: calibrated("isotonic"),
}
"""Each contains a boosted forest."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.mark.parametrize("name", MADE)
def test_a_stored_model_scores_as_before(name: str) -> None:
    estimator = MADE[name]()
    stored = skops_files.loads(skops_files.dumps(estimator))

    scores = scorers_of(stored, USUAL).score(NEW_ROWS)

    assert np.array_equal(scores, estimator.predict_proba(NEW_ROWS)[:, 1])


@pytest.mark.parametrize("name", MADE)
def test_a_forged_tree_is_found_inside_another_estimator(name: str) -> None:
    forged = skops_files.loads(skops_files.dumps(MADE[name]()))
    *_, last = forests_of(forged)
    last._predictors[0][0].nodes["left"][0] = 10_000

    with pytest.raises(BundleCorrupt, match="malformed"):
        scorers_of(forged, USUAL)


def forests_of(part: Any) -> Iterator[HistGradientBoostingClassifier]:
    """Yield the forests inside the estimators above."""
    if isinstance(part, HistGradientBoostingClassifier):
        yield part
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from forests_of(inner)
    else:
        for name in ("steps", "estimators_", "calibrated_classifiers_", "estimator"):
            yield from forests_of(getattr(part, name, []) or [])
