"""Contributions add up to the score for every kind of model; a split's change counts for its feature."""

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import threadpoolctl
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models.estimators import scorers_of
from app.domain.decision import Method
from app.scoring.model import Contributions, Rows, Scale, Scores

WIDTH = 8
Flags = NDArray[np.int64]


def made_up(count: int = 3000) -> tuple[Rows, Flags]:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(count, WIDTH))
    frauds = rows[:, 0] + rows[:, 5] * (rows[:, 2] > 0) + rng.normal(scale=0.3, size=count) > 1.5
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows, frauds.astype(np.int64)


ROWS, FRAUDS = made_up()
USUAL = np.nanmedian(ROWS[FRAUDS == 0], axis=0, keepdims=True)
SEPARABLE: dict[str, tuple[Any, Method]] = {
    "boosted": (
        HistGradientBoostingClassifier(max_iter=40, early_stopping=False, random_state=0),
        Method.TREE_PATHS,
    ),
    "forest": (RandomForestClassifier(n_estimators=20, random_state=0), Method.TREE_PATHS),
    "balanced forest": (
        RandomForestClassifier(n_estimators=5, class_weight="balanced", random_state=0),
        Method.TREE_PATHS,
    ),
    "extra trees": (ExtraTreesClassifier(n_estimators=5, random_state=0), Method.TREE_PATHS),
    "one tree": (DecisionTreeClassifier(random_state=0), Method.TREE_PATHS),
    "forest behind an imputer": (
        make_pipeline(SimpleImputer(), RandomForestClassifier(n_estimators=5, random_state=0)),
        Method.TREE_PATHS,
    ),
    "linear": (make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), Method.LINEAR),
    "linear without its mean": (
        make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(with_mean=False), LogisticRegression()
        ),
        Method.LINEAR,
    ),
    "a pipeline in a pipeline": (
        make_pipeline(SimpleImputer(), make_pipeline(StandardScaler(), LogisticRegression())),
        Method.LINEAR,
    ),
}


@cache
def fitted(name: str) -> Any:
    """In one thread: two would wait for each other on a busy machine."""
    with threadpoolctl.threadpool_limits(1):
        return clone(SEPARABLE[name][0]).fit(ROWS, FRAUDS)


def added_up(found: Contributions) -> Scores:
    """The scores that the contributions tell."""
    totals: Scores = found.base + found.values.sum(axis=1)
    return 1 / (1 + np.exp(-totals)) if found.scale == Scale.LOG_ODDS else totals


@pytest.mark.parametrize("name", SEPARABLE)
def test_contributions_add_up_to_the_score_that_predict_proba_gives(name: str) -> None:
    estimator, method = fitted(name), SEPARABLE[name][1]
    expected = estimator.predict_proba(ROWS)[:, 1]

    found = scorers_of(estimator, USUAL).contributions(ROWS)

    assert found is not None
    assert method == found.method
    assert np.allclose(expected, added_up(found), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SEPARABLE)
def test_scores_are_to_the_bit_those_of_predict_proba(name: str) -> None:
    estimator = fitted(name)

    found = scorers_of(estimator, USUAL)

    expected = estimator.predict_proba(ROWS)[:, 1]
    assert np.array_equal(expected, found.own(ROWS))
    assert (found.compiled is None) == (SEPARABLE[name][1] == Method.LINEAR)
    assert found.compiled is None or np.array_equal(expected, found.compiled(ROWS))


def test_the_usual_row_of_a_linear_model_has_nothing_to_explain() -> None:
    estimator = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(ROWS, FRAUDS)

    found = scorers_of(estimator, USUAL).contributions(USUAL)

    assert found is not None
    assert found.values.tolist() == [[0.0] * WIDTH]


def test_an_unknown_usual_value_still_adds_up() -> None:
    filled = np.nan_to_num(ROWS)
    estimator = LogisticRegression().fit(filled, FRAUDS)

    found = scorers_of(estimator, np.full((1, WIDTH), np.nan)).contributions(filled)

    assert found is not None
    assert np.allclose(estimator.predict_proba(filled)[:, 1], added_up(found), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(SimpleImputer(), GaussianNB()),
        make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression()),
    ],
    ids=["another kind", "other columns than features"],
)
def test_a_model_that_does_not_come_apart_has_scores_and_no_contributions(estimator: Any) -> None:
    estimator.fit(ROWS, FRAUDS)
    found = scorers_of(estimator, USUAL)

    assert found.contributions(ROWS) is None
    assert np.array_equal(estimator.predict_proba(ROWS)[:, 1], found.own(ROWS))


def recount(estimator: RandomForestClassifier, row: Rows) -> list[float]:
    """Along each tree's own decision path, in exact steps of the fractions of frauds at its nodes."""
    found = [0.0] * WIDTH
    for tree in estimator.estimators_:
        way = tree.tree_.decision_path(row[None].astype(np.float32)).indices
        fractions = tree.tree_.value[way, 0, 1]
        for node, change in zip(way[:-1], np.diff(fractions), strict=True):
            found[tree.tree_.feature[node]] += change / len(estimator.estimators_)
    return found


def test_a_forests_contributions_equal_a_recount_along_its_decision_paths() -> None:
    estimator = fitted("forest")

    found = scorers_of(estimator, USUAL).contributions(ROWS[:50])

    assert found is not None
    expected = [recount(estimator, row) for row in ROWS[:50]]
    assert np.allclose(expected, found.values, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def shap() -> Any:
    with warnings.catch_warnings():
        # It draws pictures with colours that a newer matplotlib wants otherwise.
        warnings.simplefilter("ignore")
        import shap as library  # noqa: PLC0415  # only these tests pay for it
    return library


@pytest.mark.parametrize("name", ["boosted", "forest"])
class TestBesideShap:
    """Of the rows with the highest scores. Path attribution is another method than Shapley's values: base and sum are
    the same, how the sum is shared out is not. How far they agree was measured and is held to here.
    """

    def both(self, shap: Any, name: str) -> tuple[Contributions, float, Rows]:
        estimator = fitted(name)
        judged = scorers_of(estimator, USUAL)
        alerts = ROWS[np.argsort(judged.own(ROWS))[-200:]]
        found, explainer = judged.contributions(alerts), shap.TreeExplainer(estimator)
        assert found is not None
        theirs = explainer.shap_values(alerts)
        base = float(np.atleast_1d(explainer.expected_value)[-1])
        return found, base, theirs if theirs.ndim == 2 else theirs[:, :, 1]

    def test_base_and_sum_are_the_same(self, shap: Any, name: str) -> None:
        ours, base, theirs = self.both(shap, name)

        assert abs(base - ours.base) < 1e-9
        assert np.allclose(theirs.sum(axis=1), ours.values.sum(axis=1), rtol=0, atol=1e-9)

    def test_the_weightiest_features_are_mostly_the_same(self, shap: Any, name: str) -> None:
        ours, _, theirs = self.both(shap, name)

        assert shared(ours.values, theirs, 1) >= 0.85
        assert shared(ours.values, theirs, 3) >= 0.75

    def test_a_weighty_feature_has_the_same_sign(self, shap: Any, name: str) -> None:
        ours, _, theirs = self.both(shap, name)

        weighty = np.abs(theirs) > 0.2 * np.abs(theirs).max(axis=1, keepdims=True)
        assert np.mean(np.sign(ours.values[weighty]) == np.sign(theirs[weighty])) >= 0.98


def shared(ours: Rows, theirs: Rows, first: int) -> float:
    """The share of the weightiest features that both name, on average over the rows."""
    tops = [np.argsort(-values, axis=1)[:, :first] for values in (ours, theirs)]
    return float(np.mean([len(set(a) & set(b)) / first for a, b in zip(*tops, strict=True)]))
