"""Scoring with an estimator of scikit-learn at the least cost a chunk: one thread, nothing validated twice."""

from collections.abc import Callable
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier

from app.adapters.forests import Forest
from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores

ScoreRows = Callable[[Rows], Scores]
_BINARY = [0, 1]


def score_function(estimator: Any, features: int) -> ScoreRows:
    """How ``estimator`` scores rows of so many features. Raises BundleCorrupt if it cannot."""
    if not hasattr(estimator, "predict_proba"):
        raise BundleCorrupt(f"the model is a {type(estimator).__name__}, which gives no probabilities")
    if list(estimator.classes_) != _BINARY or estimator.n_features_in_ != features:
        raise BundleCorrupt(f"the model must tell 0 from 1 by {features} features")
    if isinstance(estimator, HistGradientBoostingClassifier):
        return Forest(estimator).score
    _use_one_thread(estimator)

    def score(rows: Rows) -> Scores:
        probabilities: Scores = estimator.predict_proba(rows)[:, 1]
        return probabilities

    return score


def _use_one_thread(estimator: Any) -> None:
    parameters = estimator.get_params()
    estimator.set_params(**{name: 1 for name in parameters if name.split("__")[-1] == "n_jobs"})
