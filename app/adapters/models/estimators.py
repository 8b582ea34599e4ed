"""Estimators of scikit-learn as this service uses them: scores at the least cost a chunk, and contributions.

One is a classifier, or a pipeline that ends in one.
"""

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from app.adapters.models.linear import Linear
from app.adapters.models.pipeline_steps import Transform, through
from app.adapters.models.scorers import Contribute, Judgement, ScoreRows
from app.adapters.models.sklearn_forests import forest_of
from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores

_BINARY = [0, 1]


def judgement(estimator: Any, usual: Rows) -> Judgement:
    """Of rows with as many features as ``usual``, one row, has. Raises BundleCorrupt if it cannot."""
    if not hasattr(estimator, "predict_proba"):
        raise BundleCorrupt(f"the model is a {type(estimator).__name__}, which gives no probabilities")
    features = usual.shape[1]
    if list(estimator.classes_) != _BINARY or estimator.n_features_in_ != features:
        raise BundleCorrupt(f"the model must tell 0 from 1 by {features} features")
    _use_one_thread(estimator)
    if isinstance(estimator, CalibratedClassifierCV):
        _check_calibrated(estimator, usual)
        return Judgement(_probabilities(estimator), None, _inseparable)
    *before, last = _steps(estimator)
    see = through(before)
    seen = see(usual)
    forest = forest_of(last, seen.shape[1])
    own, compiled = _probabilities(estimator), None if forest is None else _seeing(see, forest.score)
    contribute: Contribute = _inseparable
    if seen.shape[1] != features:  # a step made other columns of them
        return Judgement(own, compiled, contribute)
    if forest is not None:
        contribute = forest.contributions
    elif isinstance(last, LogisticRegression):
        contribute = Linear(last, seen).contributions
    whole = None if before else forest
    return Judgement(own, compiled, lambda rows: contribute(see(rows)), whole)


def _check_calibrated(estimator: Any, usual: Rows) -> None:
    """What is calibrated is walked by scikit-learn itself: it must be as sound as if it stood alone."""
    for part in estimator.calibrated_classifiers_:
        if not isinstance(part.estimator, FrozenEstimator):
            raise BundleCorrupt("only what was fitted before its calibration can be judged: train it again")
        judgement(part.estimator.estimator, usual)


def _steps(estimator: Any) -> list[Any]:
    """A pipeline's steps, those of a pipeline at its end too."""
    if not isinstance(estimator, Pipeline):
        return [estimator]
    *before, last = [step for _, step in estimator.steps if step not in {None, "passthrough"}]
    return [*before, *_steps(last)]


def _seeing(see: Transform, score: ScoreRows) -> ScoreRows:
    return lambda rows: score(see(rows))


def _probabilities(estimator: Any) -> ScoreRows:
    def score(rows: Rows) -> Scores:
        if not len(rows):  # a chunk of which nothing is to be scored; scikit-learn refuses it
            return np.empty(0)
        probabilities: Scores = estimator.predict_proba(rows)[:, 1]
        return probabilities

    return score


def _inseparable(_: Rows) -> None:
    return None


def _use_one_thread(estimator: Any) -> None:
    parameters = estimator.get_params()
    estimator.set_params(**{name: 1 for name in parameters if name.split("__")[-1] == "n_jobs"})
