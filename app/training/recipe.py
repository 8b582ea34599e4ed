"""Builds a classifier of scikit-learn from a TOML file that names classes and parameters.

    fraud_weight = 10             # or "balanced"; 1 leaves the scores probabilities
    calibration = "sigmoid"       # or "isotonic", "none"
    absent_share = 0.03           # share of rows fitted without entity features; 0 for none
    [estimator]
    class = "sklearn.ensemble.HistGradientBoostingClassifier"
    parameters = { max_iter = 300 }

A pipeline has steps instead. A table with a class is an estimator at any position:

    [[steps]]
    class = "sklearn.impute.SimpleImputer"
    [[steps]]
    class = "sklearn.linear_model.LogisticRegression"
    parameters = { max_iter = 1000 }

Only public classes of the modules below are created, so that a file cannot name arbitrary code.
"""

import importlib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from app.domain.wrong_value import wrong_value
from app.errors import ConfigurationError

MODULES = (
    "discriminant_analysis", "ensemble", "feature_selection", "impute", "linear_model", "naive_bayes",
    "neural_network", "pipeline", "preprocessing", "tree",
)  # fmt: skip
"""Allowed modules of scikit-learn."""


class Piece(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One estimator: its class and its parameters; others have scikit-learn's defaults."""

    path: str = msgspec.field(name="class")
    parameters: dict[str, Any] = {}


DEFAULT = Piece(
    path="sklearn.ensemble.HistGradientBoostingClassifier",
    parameters={
        "max_iter": 100,
        "max_leaf_nodes": 15,
        "learning_rate": 0.04,
        "min_samples_leaf": 40,
        "l2_regularization": 1.0,
        "early_stopping": False,
    },
)
"""Large leaves, because frauds are few and smaller leaves overfit; few trees, because scoring time grows with them."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The estimator, and how it is fitted."""

    estimator: Piece | None = None
    steps: list[Piece] = []
    fraud_weight: Annotated[float, Meta(gt=0)] | Literal["balanced"] = 1.0
    """Weight of a fraud relative to a legitimate row. If it is not 1, scores are probabilities only with calibration."""
    calibration: Literal["none", "sigmoid", "isotonic"] = "none"
    calibration_share: Annotated[float, Meta(gt=0, lt=1)] = 0.2
    """The newest part of the fitted rows, held out from the estimator for its calibration."""
    absent_share: Annotated[float, Meta(ge=0, lt=1)] = 0.03
    """Share of the fitted rows, drawn by the seed, that are fitted without entity features. While Redis is unreachable, a
    worker scores without them, and only a model trained on such rows gives probabilities then."""

    def __post_init__(self) -> None:
        if self.estimator is not None and self.steps:
            raise ValueError("give either `estimator` or `steps`")

    @property
    def pieces(self) -> list[Piece]:
        """The estimators of the model, in order."""
        return self.steps or [self.estimator or DEFAULT]


def read_recipe(path: Path | None) -> Recipe:
    """Read a recipe from a TOML file; without one, return the default. Raises ConfigurationError."""
    if path is None:
        return Recipe()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Recipe)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigurationError(f"{path}: {wrong_value(error, Recipe)}. Correct the file.") from error


def build(recipe: Recipe, seed: int) -> Any:
    """Return the unfitted estimator, with the seed for every random state. Raises ConfigurationError."""
    made = [_make(piece) for piece in recipe.pieces]
    estimator = make_pipeline(*made) if recipe.steps else made[0]
    if not hasattr(estimator, "predict_proba"):
        raise ConfigurationError(
            f"{recipe.pieces[-1].path} gives no probabilities (predict_proba). Choose another."
        )
    parameters = estimator.get_params()
    seeds = [
        name for name in parameters if name.split("__")[-1] == "random_state" and parameters[name] is None
    ]
    return estimator.set_params(**dict.fromkeys(seeds, seed))


def _make(piece: Piece) -> Any:
    found = _class(piece.path)
    try:
        return found(**{name: _value(value) for name, value in piece.parameters.items()})
    except TypeError as error:
        raise ConfigurationError(f"{piece.path}: {error}. Correct the parameters.") from error


def _class(path: str) -> type[Any]:
    module, _, name = path.rpartition(".")
    if module not in [f"sklearn.{allowed}" for allowed in MODULES]:
        raise ConfigurationError(f"{path}: a class must be one of sklearn.{{{', '.join(MODULES)}}}")
    home = importlib.import_module(module)
    found = getattr(home, name, None)
    if name not in home.__all__ or not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise ConfigurationError(f"{path} is not an estimator of this release of scikit-learn")
    return found


def _value(value: Any) -> Any:
    if isinstance(value, dict) and "class" in value:
        return _make(msgspec.convert(value, Piece))
    return [_value(part) for part in value] if isinstance(value, list) else value
