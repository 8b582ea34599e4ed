"""Attributes that would make scoring endless, or take memory without bound, are refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, QuantileTransformer
from sklearn.tree._tree import Tree

from app.adapters.models.estimators import scorers_of
from tests.unit.models.forged_estimators import (
    FEATURES,
    ROWS,
    USUAL,
    averaged,
    boosted,
    holding,
    imputer,
    refusal,
    scaler,
    single,
    sound,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def deep_chain(splits: int = 1_500) -> Any:
    """A tree of one path: each split has a leaf on its left."""
    classifier = single()
    state = classifier.tree_.__getstate__()
    nodes = np.repeat(state["nodes"][:1], 2 * splits + 1)
    nodes["left_child"] = nodes["right_child"] = -1
    nodes["left_child"][: 2 * splits : 2] = np.arange(1, 2 * splits, 2)
    nodes["right_child"][: 2 * splits : 2] = np.arange(2, 2 * splits + 1, 2)
    values = np.repeat(state["values"][:1], 2 * splits + 1, axis=0)
    tree = Tree(FEATURES, np.array([2]), 1)  # another one: the state of a fitted tree may not grow
    tree.__setstate__(state | {"nodes": nodes, "values": values, "node_count": len(nodes)})
    return holding(classifier, tree_=tree)


ENDLESS: dict[str, tuple[Callable[[], Any], str]] = {
    "deep tree": (lambda: FrozenEstimator(deep_chain()), "deeper than"),
    "long path through all trees": (
        lambda: averaged(
            RandomForestClassifier, lambda forest: forest.estimators_.extend([deep_chain(900)] * 120)
        ),
        "nodes of the model's trees",
    ),
    "many steps": (lambda: make_pipeline(*[scaler()] * 80, sound()), "more than 64 steps"),
    "mean of three axes": (lambda: make_pipeline(scaler(mean_=np.zeros((2_000, 1, 1))), sound()), "mean_"),
    "mean of many rows": (lambda: make_pipeline(scaler(mean_=np.zeros((10**5, 1))), sound()), "mean_"),
    "mean of nested lists": (lambda: make_pipeline(scaler(mean_=[[[0.0]]] * 50), sound()), "mean_"),
    "mean of a list of arrays": (
        lambda: make_pipeline(scaler(mean_=[np.zeros((9, 1))] * 50), sound()),
        "mean_",
    ),
    "mean of objects": (lambda: make_pipeline(scaler(mean_=np.zeros(10**4, dtype=object)), sound()), "mean_"),
    "coefficients": (lambda: holding(sound(), coef_=np.zeros((1, 10**5))), "coef_"),
    "degree": (lambda: make_pipeline(polynomial(_max_degree=10**12), sound()), "columns of its features"),
    "polynomial columns": (
        lambda: make_pipeline(polynomial(_n_out_full=10**8), sound()),
        "columns of its features",
    ),
    "slow distribution": (
        lambda: make_pipeline(
            holding(QuantileTransformer(n_quantiles=10).fit(ROWS), output_distribution="studentized_range"),
            sound(),
        ),
        "unknown distribution",
    ),
}


def polynomial(**attributes: int) -> Any:
    return holding(PolynomialFeatures(2).fit(ROWS), **attributes)


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_makes_scoring_endless_is_refused(kind: str) -> None:
    make, reason = ENDLESS[kind]

    assert reason in refusal(make())


def test_no_part_scores_in_threads_or_prints() -> None:
    forest = averaged(
        RandomForestClassifier,
        lambda forest: holding(forest, n_jobs=50_000, n_estimators=50_000, verbose=100),
    )
    model = FrozenEstimator(make_pipeline(imputer(), FrozenEstimator(forest)))

    scorers_of(model, USUAL)

    assert (forest.n_jobs, forest.verbose) == (1, 0)


def test_compiled_code_refuses_rows_of_another_width() -> None:
    compiled = scorers_of(boosted(), USUAL).forest
    assert compiled is not None
    for rows in (ROWS[:, :-1], ROWS[0], ROWS[None]):
        with pytest.raises(ValueError, match="for a forest of 5 columns"):
            compiled.score(rows)
        with pytest.raises(ValueError, match="for a forest of 5 columns"):
            compiled.contributions(rows)
