"""Feature by feature the trees say what they say node by node, to the bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models.forests import Forest
from app.adapters.models.sklearn_forests import forest_of
from app.scoring.model import Rows
from app.scoring.quick_scorer import MOST_LEAVES, Splits, quick_sums, splits_of
from app.scoring.trees import LEAF, logistic, sums

WIDTH = 5
_random = np.random.default_rng(7)
ROWS = _random.integers(-9, 9, (2_000, WIDTH)) / 4 + _random.choice([0.0, 1e-9], (2_000, WIDTH))
ROWS[_random.random(ROWS.shape) < 0.1] = np.nan
FRAUDS = _random.random(len(ROWS)) < 0.3 + 0.2 * (ROWS[:, 0] > 0) - 0.1 * np.isnan(ROWS[:, 1])


def forest(estimator: Any) -> Forest:
    found = forest_of(estimator.fit(ROWS, FRAUDS), WIDTH)
    assert found is not None
    return found


FORESTS = {
    "boosted": forest(HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=31, random_state=1)),
    "boosted, as many leaves as may be": forest(
        HistGradientBoostingClassifier(
            max_iter=5, max_leaf_nodes=MOST_LEAVES, min_samples_leaf=1, random_state=1
        )
    ),
    "averaged": forest(RandomForestClassifier(n_estimators=10, max_leaf_nodes=MOST_LEAVES, random_state=1)),
    "one leaf": forest(DecisionTreeClassifier(max_depth=1, min_samples_leaf=1_500)),
    "one split": forest(DecisionTreeClassifier(max_depth=1)),
}
THRESHOLDS = sorted(
    {float(value) for each in FORESTS.values() for value in each.trees.threshold[each.trees.feature != LEAF]}
)
values = st.sampled_from(THRESHOLDS) | st.floats(-3, 3) | st.sampled_from([np.nan, np.inf, -np.inf, -0.0])
rows = st.lists(st.lists(values, min_size=WIDTH, max_size=WIDTH), max_size=5)


def splits(of: Forest) -> Splits:
    assert of.splits is not None
    return of.splits


@pytest.mark.parametrize("name", FORESTS)
@given(rows)
def test_any_row_has_the_sum_that_a_walk_finds(name: str, drawn: list[list[float]]) -> None:
    of, given_rows = FORESTS[name], np.array(drawn).reshape(-1, WIDTH)

    found = quick_sums(splits(of), given_rows, of.baseline)

    assert sums(of.trees, given_rows, of.baseline).tobytes() == found.tobytes()


@pytest.mark.parametrize("name", FORESTS)
def test_so_have_the_rows_it_was_fitted_on(name: str) -> None:
    of, seen = FORESTS[name], FORESTS[name].see(ROWS)

    assert sums(of.trees, seen, of.baseline).tobytes() == quick_sums(splits(of), seen, of.baseline).tobytes()


def test_trees_with_more_leaves_than_bits_are_walked() -> None:
    estimator = RandomForestClassifier(n_estimators=3, max_leaf_nodes=MOST_LEAVES + 1, random_state=1)
    of = forest(estimator)

    assert splits_of(of.trees, WIDTH) is None is of.splits
    assert np.array_equal(estimator.predict_proba(ROWS)[:, 1], of.score(ROWS))


@pytest.mark.parametrize("name", ["boosted, as many leaves as may be", "averaged"])
def test_the_word_of_a_tree_can_be_full(name: str) -> None:
    """Otherwise the highest bit was never tried."""
    firsts = [*splits(FORESTS[name]).leaf_firsts.tolist(), len(splits(FORESTS[name]).leaves)]

    assert np.diff(firsts).max() == MOST_LEAVES


def scores_of(name: str, given_rows: Rows) -> bytes:
    return FORESTS[name].score(given_rows).tobytes()


@pytest.mark.parametrize("name", FORESTS)
def test_a_row_alone_scores_as_among_others(name: str) -> None:
    together = FORESTS[name].score(ROWS[:50])

    assert together.tobytes() == b"".join(scores_of(name, ROWS[i : i + 1]) for i in range(50))


def test_the_logistic_function_is_that_of_scipy_to_the_bit() -> None:
    usual = np.random.default_rng(3).normal(0, 5, 100_000)
    log_odds = np.concatenate([usual, np.linspace(-800, 800, 10_001), [-np.inf, -0.0, 0.0, np.inf]])

    assert expit(log_odds).tobytes() == logistic(log_odds).tobytes()
