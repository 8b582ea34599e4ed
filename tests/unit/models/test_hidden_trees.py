"""A forged tree is refused before native code walks it, wherever in an estimator it is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from app.adapters.models import skops_files
from app.adapters.models.checks import estimators
from app.errors import BundleCorrupt
from tests.unit.models.forged_estimators import (
    FEATURES,
    ROWS,
    averaged,
    boosted,
    calibrated,
    fitted,
    forged,
    holding,
    imputer,
    refusal,
    scaler,
    single,
    sound,
)

pytestmark = pytest.mark.usefixtures("one_thread")

WRAPPED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda tree: tree,
    "frozen": FrozenEstimator,
    "frozen twice": lambda tree: FrozenEstimator(FrozenEstimator(tree)),
    "pipeline": lambda tree: Pipeline([("f", FrozenEstimator(tree))]),
    "pipeline in a pipeline": lambda tree: make_pipeline(
        imputer(), make_pipeline(scaler(), FrozenEstimator(tree))
    ),
    "frozen pipeline": lambda tree: FrozenEstimator(make_pipeline(imputer(), tree)),
    "calibrated": calibrated,
    "calibrated pipeline": lambda tree: calibrated(make_pipeline(scaler(), FrozenEstimator(tree))),
    "frozen calibration": lambda tree: FrozenEstimator(calibrated(tree)),
    "calibration of a calibration": lambda tree: calibrated(calibrated(tree)),
    "step before the last": lambda tree: Pipeline([("t", tree), ("l", sound())]),
    "attribute": lambda tree: holding(sound(), hidden_=tree),
    "dictionary": lambda tree: holding(sound(), hidden_={"a": [tree]}),
    "array of objects": lambda tree: holding(sound(), hidden_=np.array([tree, None], dtype=object)),
    "preprocessor": lambda tree: boosted(lambda model: holding(model, _preprocessor=tree)),
    "template": lambda tree: averaged(RandomForestClassifier, lambda forest: holding(forest, estimator=tree)),
    "forest": lambda tree: averaged(ExtraTreesClassifier, lambda forest: forest.estimators_.append(tree)),
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_forged_tree_is_found_in_every_place(wrapper: str) -> None:
    assert "malformed" in refusal(WRAPPED[wrapper](forged()))


@pytest.mark.parametrize("wrapper", WRAPPED)
@pytest.mark.parametrize(
    "part", [lambda: forged().tree_, lambda: boosted()._predictors[0][0]], ids=["tree", "predictor"]
)
def test_a_tree_without_a_classifier_is_refused(wrapper: str, part: Callable[[], Any]) -> None:
    reason = refusal(WRAPPED[wrapper](part()))

    assert "outside of a classifier" in reason or "malformed" in reason


@pytest.mark.parametrize(
    "wrapper",
    [
        VotingClassifier([("t", DecisionTreeClassifier())], voting="soft"),
        StackingClassifier([("t", DecisionTreeClassifier())], cv=2),
        BaggingClassifier(n_estimators=2),
        AdaBoostClassifier(n_estimators=2),
        GradientBoostingClassifier(n_estimators=2),
        make_pipeline(ColumnTransformer([("s", StandardScaler(), [0, 1])]), DecisionTreeClassifier()),
        make_pipeline(FeatureUnion([("s", StandardScaler())]), DecisionTreeClassifier()),
    ],
    ids=lambda estimator: type(getattr(estimator, "steps", [("", estimator)])[0][1]).__name__,
)
def test_other_wrappers_are_no_trusted_types(wrapper: Any) -> None:
    stored = skops_files.dumps(fitted(wrapper))

    with pytest.raises(BundleCorrupt, match="not trusted"):
        skops_files.loads(stored)


def change_node(column: str, value: float) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model._predictors[1][0].nodes[column][0] = value

    return change


FORGED: dict[str, Callable[[], Any]] = {
    "cycle": lambda: single(left_child=0),
    "cycle of extra trees": lambda: single(ExtraTreeClassifier, right_child=0),
    "feature beyond the columns": lambda: single(feature=FEATURES),
    "negative feature": lambda: single(feature=-3),
    "threshold NaN": lambda: single(threshold=np.nan),
    "no weight": lambda: single(weighted_n_node_samples=0.0),
    "endless weight": lambda: single(weighted_n_node_samples=np.inf),
    "more columns than it says": lambda: holding(single(feature=4), n_features_in_=4),
    "any number of columns": lambda: _without(single(), "n_features_in_"),
    "columns that equal every number": lambda: holding(single(), n_features_in_=np.full(1, FEATURES)),
    "no classes": lambda: holding(single(), n_classes_=0),
    "boosted cycle": lambda: boosted(change_node("left", 0)),
    "boosted child outside": lambda: boosted(change_node("right", 2**31)),
    "boosted feature": lambda: boosted(change_node("feature_idx", FEATURES)),
    "boosted threshold NaN": lambda: boosted(change_node("num_threshold", np.nan)),
    "boosted value NaN": lambda: boosted(change_node("value", np.nan)),
    "boosted columns": lambda: boosted(lambda model: holding(model, n_features_in_=FEATURES + 1)),
    "boosted nodes of another type": lambda: boosted(
        lambda model: holding(model._predictors[0][0], nodes=model._predictors[0][0].nodes["value"].copy())
    ),
    "boosted nodes in rows": lambda: boosted(
        lambda model: holding(model._predictors[0][0], nodes=model._predictors[0][0].nodes.reshape(1, -1))
    ),
    "preprocessor that drops columns": lambda: boosted(
        lambda model: holding(model, _preprocessor=VarianceThreshold(1.05).fit(ROWS))
    ),
    "boosted as while it is fitted": lambda: boosted(lambda model: holding(model, _in_fit=True)),
    "a billion trees at once": lambda: boosted(lambda model: holding(model, n_trees_per_iteration_=10**9)),
    "a broad baseline": lambda: boosted(
        lambda model: holding(model, _baseline_prediction=np.zeros((1, 10**5)))
    ),
    "bins of another kind": lambda: boosted(lambda model: holding(model, _bin_mapper=sound())),
    "two outputs of a forest": lambda: averaged(
        RandomForestClassifier, lambda forest: holding(forest, n_outputs_=2)
    ),
    "many classes of a forest": lambda: averaged(
        RandomForestClassifier, lambda forest: holding(forest, n_classes_=10**9)
    ),
    "a forest of other columns": lambda: averaged(
        ExtraTreesClassifier, lambda forest: holding(forest.estimators_[1], n_features_in_=FEATURES + 1)
    ),
    "a forest of wrapped trees": lambda: averaged(
        RandomForestClassifier, lambda forest: forest.estimators_.append(FrozenEstimator(single()))
    ),
    "an empty forest": lambda: averaged(RandomForestClassifier, lambda forest: forest.estimators_.clear()),
    "a tree that two classifiers share": lambda: holding(
        sound(), hidden_=[single(), _of_fewer_columns(single(feature=4))]
    ),
}


def _without(estimator: Any, name: str) -> Any:
    del vars(estimator)[name]
    return estimator


def _of_fewer_columns(classifier: Any) -> Any:
    return holding(single(), tree_=classifier.tree_, n_features_in_=2)


_NOT_CREATED = {"boosted nodes of another type"}
"""scikit-learn refuses to create them."""


@pytest.mark.parametrize("kind", FORGED)
@pytest.mark.parametrize("wrapper", ["frozen", "calibrated", "attribute"])
def test_forged_classifiers_of_trees_are_refused(kind: str, wrapper: str) -> None:
    try:
        reason = refusal(WRAPPED[wrapper](FORGED[kind]()))
    except AttributeError as error:
        reason = str(error) if kind == "any number of columns" else ""

    assert "malformed" in reason or "n_features_in_" in reason or kind in _NOT_CREATED


@pytest.mark.parametrize("name", ["predict_proba", "_validate_X_predict", "classes_"])
def test_an_attribute_that_replaces_a_part_of_its_class_is_refused(name: str) -> None:
    inner = make_pipeline(imputer(), single()) if name == "classes_" else single()

    assert "replaces a part of its class" in refusal(FrozenEstimator(holding(inner, **{name: "x"})))


def test_sound_models_pass() -> None:
    """Every kind of model that can be trained; else the tests above would prove little."""
    for wrapper in ("alone", "frozen", "pipeline", "pipeline in a pipeline", "frozen pipeline", "calibrated"):
        for model in (single(), single(ExtraTreeClassifier), boosted(), sound()):
            estimators.check(skops_files.loads(skops_files.dumps(WRAPPED[wrapper](model))))
