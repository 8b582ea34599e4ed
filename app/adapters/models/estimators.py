"""Adapts scikit-learn's estimators: scores at the lowest cost per chunk, and contributions.

An estimator is a classifier, or a pipeline that ends in one.
"""

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from app.adapters.models.checks.estimators import check, parts
from app.adapters.models.linear import Linear
from app.adapters.models.pipeline_steps import Transform, through
from app.adapters.models.scorers import Contribute, ScoreRows, Scorers
from app.adapters.models.sklearn_forests import forest_of
from app.errors import BundleCorrupt
from app.scoring.model import Rows, Scores

_BINARY = [0, 1]
_RUNTIME = {"n_jobs": 1, "verbose": 0}
"""Parameters that have no effect on a score. A worker has one core, and its output is a log."""


def scorers_of(estimator: Any, usual: Rows) -> Scorers:
    """The scoring functions of an estimator for rows as wide as ``usual``, shape (1, features): the reference row of the
    contributions. Raises BundleCorrupt when the estimator cannot score such rows.
    """
    check(estimator)
    if not hasattr(estimator, "predict_proba"):
        raise BundleCorrupt(f"the model is a {type(estimator).__name__}, which has no predict_proba")
    features = usual.shape[1]
    if list(estimator.classes_) != _BINARY or estimator.n_features_in_ != features:
        raise BundleCorrupt(f"the model must have the classes 0 and 1 and {features} features")
    _run_quietly(estimator)
    if isinstance(estimator, CalibratedClassifierCV):
        return Scorers(_probabilities(estimator), None, _inseparable)
    *before, last = _steps(estimator)
    see = through(before)
    seen = see(usual)
    forest = forest_of(last, seen.shape[1])
    own, compiled = _probabilities(estimator), None if forest is None else _seeing(see, forest.score)
    contribute: Contribute = _inseparable
    if seen.shape[1] != features:  # a step changed the columns, so contributions have no feature
        return Scorers(own, compiled, contribute)
    if forest is not None:
        contribute = forest.contributions
    elif isinstance(last, LogisticRegression):
        contribute = Linear(last, seen).contributions
    whole = None if before else forest
    return Scorers(own, compiled, lambda rows: contribute(see(rows)), whole)


def _steps(estimator: Any) -> list[Any]:
    """The steps of a pipeline, those of a nested pipeline at its end included."""
    if not isinstance(estimator, Pipeline):
        return [estimator]
    *before, last = [step for _, step in estimator.steps if step not in {None, "passthrough"}]
    return [*before, *_steps(last)]


def _seeing(see: Transform, score: ScoreRows) -> ScoreRows:
    return lambda rows: score(see(rows))


def _probabilities(estimator: Any) -> ScoreRows:
    def score(rows: Rows) -> Scores:
        if not len(rows):  # a chunk without rows to score; scikit-learn refuses empty arrays
            return np.empty(0)
        probabilities: Scores = estimator.predict_proba(rows)[:, 1]
        return probabilities

    return score


def _inseparable(_: Rows) -> None:
    return None


def _run_quietly(estimator: Any) -> None:
    for part in parts(estimator):
        for name in _RUNTIME.keys() & getattr(part, "__dict__", {}).keys():
            setattr(part, name, _RUNTIME[name])
