"""Every node of a forest is checked before the forest is traversed."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from app.adapters.models import bundles, skops_files
from app.adapters.models.loading import UNSIGNED
from app.errors import (
    BundleCorrupt,
)
from tests.unit.small_bundle import DESCRIBED, FRAUDS, ROWS, WIDTH, replace_model, saved, with_replaced


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path)


class TestForgedForests:
    """scikit-learn does not check nodes when it predicts, so a forged node could read outside its memory."""

    @pytest.fixture
    def forest(self, tmp_path: Path) -> Path:
        estimator = RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0).fit(ROWS, FRAUDS)
        bundles.save(tmp_path / "small" / "1", DESCRIBED, estimator, ROWS[:64], "")
        return tmp_path / "small" / "1"

    def test_a_valid_forest_scores_bit_identically_to_its_estimator(self, forest: Path) -> None:
        estimator = RandomForestClassifier(n_estimators=3, max_depth=4, random_state=0).fit(ROWS, FRAUDS)

        assert np.array_equal(estimator.predict_proba(ROWS)[:, 1], bundles.load(forest, UNSIGNED).score(ROWS))

    @pytest.mark.parametrize(
        ("column", "value"),
        [("left_child", 10**6), ("right_child", 0), ("left_child", -7), ("feature", 10**6), ("feature", -3),
         ("weighted_n_node_samples", 0.0)],
    )  # fmt: skip
    @pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "behind a pipeline"])
    def test_a_tree_with_an_invalid_index_or_a_cycle_is_refused(
        self, forest: Path, column: str, value: float, *, wrapped: bool
    ) -> None:
        forged = skops_files.loads((forest / "model.skops").read_bytes())
        tree = forged.estimators_[1].tree_
        state = tree.__getstate__()
        state["nodes"][column][1 if column.startswith("weighted") else 0] = value
        tree.__setstate__(state)
        model = make_pipeline(SimpleImputer().fit(ROWS), forged) if wrapped else forged
        replace_model(forest, skops_files.dumps(model))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(forest, UNSIGNED)

    def test_a_node_with_two_parents_is_refused(self, forest: Path) -> None:
        forged = skops_files.loads((forest / "model.skops").read_bytes())
        tree = forged.estimators_[1].tree_
        state = tree.__getstate__()
        state["nodes"]["left_child"][0] = state["nodes"]["right_child"][0]
        tree.__setstate__(state)
        replace_model(forest, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(forest, UNSIGNED)

    def test_a_single_decision_tree_is_checked(self, forest: Path) -> None:
        forged = DecisionTreeClassifier(random_state=0).fit(ROWS, FRAUDS)
        state = forged.tree_.__getstate__()
        state["nodes"]["feature"][0] = 10**6
        forged.tree_.__setstate__(state)
        replace_model(forest, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="malformed"):
            bundles.load(forest, UNSIGNED)

    @pytest.mark.parametrize("count", [-1, 0, 3])
    def test_a_tree_with_a_wrong_node_count_is_refused(self, forest: Path, count: int) -> None:
        replace_model(forest, with_replaced(forest, '"node_count"', count))

        with pytest.raises(BundleCorrupt):
            bundles.load(forest, UNSIGNED)

    def test_a_boosted_model_with_categorical_features_is_refused(self, path: Path) -> None:
        """scikit-learn would write to an address computed from the forged categories."""
        forged = skops_files.loads((path / "model.skops").read_bytes())
        forged._bin_mapper.is_categorical_ = np.ones(WIDTH, np.uint8)
        replace_model(path, skops_files.dumps(forged))

        with pytest.raises(BundleCorrupt, match="categorical features"):
            bundles.load(path, UNSIGNED)
