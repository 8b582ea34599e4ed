"""Fits an estimator to rows, in one thread: the rounding of sums over threads depends on their number."""

import warnings
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from app.adapters.models import skops_files
from app.adapters.models.estimators import scorers_of
from app.computation.feature_set import SHIPPED, FeatureSet
from app.errors import BundleCorrupt, ConfigurationError
from app.scoring.model import Rows
from app.training.absent import partly_absent
from app.training.dataset import Dataset
from app.training.options import TrainingOptions
from app.training.recipe import build
from app.training.scored_dataset import Flags

_FEWEST_KNOWN = 0.001
"""Share of rows that must have a value of a feature for a tree to split on it."""
_TRIAL_ROWS = 400

Weights = NDArray[np.float64]


def fit(dataset: Dataset, options: TrainingOptions) -> Any:
    """Fit the estimator of the recipe, with its calibration. Raises ConfigurationError if it cannot be fitted."""
    share = options.recipe.absent_share
    with (
        threadpoolctl.threadpool_limits(1),
        partly_absent(dataset.rows, dataset.features.delayed, share, options.seed),
    ):
        rows = _without_empty_columns(dataset.rows)
        if options.recipe.calibration == "none":
            return _fit(rows, dataset.frauds, options)
        held_out = _newest(dataset, options.recipe.calibration_share)
        estimator = _fit(rows[~held_out], dataset.frauds[~held_out], options)
        calibrated = CalibratedClassifierCV(FrozenEstimator(estimator), method=options.recipe.calibration)
        frauds = dataset.frauds[held_out]
        return calibrated.fit(
            rows[held_out],
            frauds.astype(np.int64),
            sample_weight=_weights(frauds, 1.0, options.legitimate_share),
        )


def require_storable(options: TrainingOptions, features: FeatureSet = SHIPPED) -> None:
    """Fit and store the estimator with a few synthetic rows. Raises ConfigurationError if it cannot be stored.

    Called before a history is read, so that an unsuitable recipe fails at once and not after hours.
    """
    random = np.random.default_rng(options.seed)
    rows = random.uniform(0, 100, (_TRIAL_ROWS, features.width))
    frauds = np.arange(_TRIAL_ROWS) % 4 == 0
    rows[frauds] += 50
    rows[::7, -1] = np.nan
    nothing = np.zeros(_TRIAL_ROWS, dtype=np.int64)
    trial = Dataset(
        rows=rows,
        features=features,
        frauds=frauds,
        amounts_minor=nothing,
        event_times=np.arange(_TRIAL_ROWS),
        customers=nothing,
        transactions=nothing,
        patterns=nothing,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = fit(trial, options)
    try:
        scorers_of(skops_files.loads(skops_files.dumps(estimator)), np.zeros((1, features.width)))
    except BundleCorrupt as error:
        raise ConfigurationError(
            f"{_names(options)} cannot be stored safely: {error}. Choose another, for instance "
            "HistGradientBoostingClassifier."
        ) from error


def _fit(rows: Rows, frauds: Flags, options: TrainingOptions) -> Any:
    recipe = options.recipe
    estimator = build(recipe, options.seed)
    weight = recipe.fraud_weight
    if weight == "balanced":
        weight = (~frauds).sum() / options.legitimate_share / max(1, frauds.sum())
    try:
        given = _weight_arguments(estimator, _weights(frauds, float(weight), options.legitimate_share))
        return estimator.fit(rows, frauds.astype(np.int64), **given)
    except (TypeError, ValueError) as error:
        # scikit-learn quotes parameters and types here, and no row.
        raise ConfigurationError(f"{_names(options)} cannot be fitted: {_first_line(error)}") from error


def _weights(frauds: Flags, fraud_weight: float, legitimate_share: float) -> Weights | None:
    """Return the weight of each row; None if all are equal."""
    if fraud_weight == legitimate_share == 1.0:
        return None
    return np.where(frauds, fraud_weight, 1 / legitimate_share)


def _weight_arguments(estimator: Any, weights: Weights | None) -> dict[str, Weights]:
    if weights is None:
        return {}
    name, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    if not has_fit_parameter(last, "sample_weight"):
        raise ValueError(
            f"{type(last).__name__} takes no weights: leave fraud_weight and the legitimate share at 1"
        )
    return {f"{name}__sample_weight" if name else "sample_weight": weights}


def _newest(dataset: Dataset, share: float) -> Flags:
    """Select the newest rows; rows with the same time stay together."""
    newest: Flags = dataset.event_times > np.quantile(dataset.event_times, 1 - share, method="lower")
    return newest


def _without_empty_columns(rows: Rows) -> Rows:
    """Replace a feature that is missing in almost all rows by a constant, so that no tree splits on it.

    scikit-learn cannot bin a column that has no value in its sample of 200,000 rows.
    """
    known = np.array([np.isfinite(column).mean() for column in rows.T])
    empty = known < _FEWEST_KNOWN
    return np.where(empty, 0.0, rows) if empty.any() else rows


def _names(options: TrainingOptions) -> str:
    return " + ".join(piece.path.rpartition(".")[2] for piece in options.recipe.pieces)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
