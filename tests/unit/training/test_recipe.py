"""What is fitted: estimators, pipelines, weights, and rows as they are while Redis is away."""

import warnings
from pathlib import Path

import msgspec
import numpy as np
import pytest

from app.computation.feature_set import SHIPPED
from app.errors import ConfigurationError
from app.features import catalog
from app.training.absent import absent, partly_absent
from app.training.fitting import require_storable
from app.training.options import TrainingOptions
from app.training.recipe import Piece, Recipe, build, read_recipe
from app.training.train import Target, train
from tests.unit.training.histories import BOOSTING, PROFILE, SMALL, mean_score, noisy, source, split_by_time


class TestAbsent:
    def test_a_share_of_the_rows_is_without_entities_for_a_while(self) -> None:
        rows = np.random.default_rng(1).normal(size=(5_000, len(catalog.NAMES)))
        before = rows.copy()

        with partly_absent(rows, SHIPPED.delayed, 0.1, seed=3):
            without = np.isnan(rows[:, catalog.DELAYED])
            others = rows[:, : catalog.DELAYED.start].copy()

        assert np.array_equal(rows, before)
        assert np.array_equal(others, before[:, : catalog.DELAYED.start])
        assert np.array_equal(without.all(axis=1), without.any(axis=1))
        assert without.any(axis=1).mean() == pytest.approx(0.1, rel=0.2)

    def test_a_model_that_has_seen_it_gives_probabilities_without_redis(self) -> None:
        """Fraud is told by the terminal alone; without it every transaction is as likely to be one as any."""
        rows = np.random.default_rng(2).uniform(size=(20_000, len(catalog.NAMES)))
        data = msgspec.structs.replace(noisy(20_000), rows=rows, frauds=rows[:, catalog.DELAYED.start] > 0.95)
        unknown = msgspec.structs.replace(data, rows=absent(rows, SHIPPED.delayed))
        stumps = Piece(path=BOOSTING, parameters={"max_iter": 50, "max_leaf_nodes": 3})

        seen, unseen = (
            mean_score(data, TrainingOptions(recipe=Recipe(estimator=stumps, absent_share=share)), unknown)
            for share in (0.1, 0.0)
        )

        assert seen == pytest.approx(0.05, rel=0.2)
        assert unseen < 0.01


class TestRecipe:
    def test_a_misspelt_setting_is_a_configuration_error(self, tmp_path: Path) -> None:
        path = tmp_path / "model.toml"
        path.write_text("fraud_wait = 5\n")

        with pytest.raises(ConfigurationError, match="fraud_wait"):
            read_recipe(path)

    @pytest.mark.parametrize(
        ("path", "parameters", "told"),
        [
            (BOOSTING, {"max_iterations": 5}, "max_iterations"),
            (BOOSTING, {"max_iter": "many"}, "max_iter"),
            ("os.system", {}, "must be one of"),
            ("sklearn.ensemble.os", {}, "is not an estimator"),
            ("sklearn.linear_model.LinearRegression", {}, "predict_proba"),
            ("sklearn.linear_model.LogisticRegression", {}, "NaN"),
            ("sklearn.ensemble.BaggingClassifier", {"n_estimators": 2}, "stored safely"),
        ],
    )
    def test_what_cannot_be_built_fitted_or_stored_is_refused_before_any_work(
        self, path: str, parameters: dict[str, object], told: str
    ) -> None:
        recipe = Recipe(estimator=Piece(path=path, parameters=parameters))

        with pytest.raises(ConfigurationError, match=told):
            require_storable(TrainingOptions(recipe=recipe))

    def test_the_seed_reaches_every_part_of_a_pipeline(self) -> None:
        steps = [
            Piece(path="sklearn.preprocessing.QuantileTransformer"),
            Piece(path="sklearn.linear_model.LogisticRegression"),
        ]

        made = build(Recipe(steps=steps), seed=7).get_params()

        assert made["quantiletransformer__random_state"] == made["logisticregression__random_state"] == 7

    def test_a_table_with_a_class_is_an_estimator_wherever_it_stands(self, tmp_path: Path) -> None:
        path = tmp_path / "model.toml"
        path.write_text(
            '[estimator]\nclass = "sklearn.ensemble.BaggingClassifier"\n'
            f'[estimator.parameters]\nn_estimators = 2\nestimator = {{ class = "{BOOSTING}" }}\n'
        )

        made = build(read_recipe(path), seed=0)

        assert type(made.estimator).__name__ == "HistGradientBoostingClassifier"

    @pytest.mark.parametrize("method", [pytest.param("sigmoid", marks=pytest.mark.slow), "isotonic"])
    def test_calibration_undoes_what_a_weight_did_to_the_scores(self, method: str) -> None:
        data = noisy(10_000)
        weighted = msgspec.structs.replace(SMALL, fraud_weight=20.0)
        mended = msgspec.structs.replace(weighted, calibration=method)

        raw, calibrated = (
            mean_score(data, TrainingOptions(recipe=recipe), data) for recipe in (weighted, mended)
        )

        share = data.frauds.mean()
        assert abs(calibrated - share) < 0.1 * share < abs(raw - share)

    def test_a_sample_of_the_legitimate_is_weighted_so_that_scores_stay_probabilities(self) -> None:
        data = noisy(10_000)
        stumps = Recipe(estimator=Piece(path=BOOSTING, parameters={"max_iter": 5, "max_leaf_nodes": 3}))
        whole_options = TrainingOptions(recipe=stumps, warm_up_days=0, test_days=1)
        options = msgspec.structs.replace(whole_options, legitimate_share=0.3)
        fitted = split_by_time(data, options).fitted

        everything = split_by_time(data, whole_options).fitted

        whole, sample, unweighted = (
            mean_score(rows, how, data)
            for rows, how in ((everything, whole_options), (fitted, options), (fitted, whole_options))
        )

        assert len(fitted) < 0.5 * len(everything)
        assert sample == pytest.approx(whole, rel=0.1)
        assert unweighted > 1.5 * whole

    def test_the_same_recipe_and_seed_give_the_same_bytes(self, history: Path, tmp_path: Path) -> None:
        steps = [
            Piece(path="sklearn.impute.SimpleImputer", parameters={"strategy": "median"}),
            Piece(path="sklearn.preprocessing.QuantileTransformer", parameters={"n_quantiles": 20}),
            Piece(
                path="sklearn.neural_network.MLPClassifier",
                parameters={"hidden_layer_sizes": [4], "max_iter": 3},
            ),
        ]
        options = TrainingOptions(
            recipe=Recipe(steps=steps, calibration="isotonic"), test_days=7, legitimate_share=0.5
        )

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # three rounds are too few, and enough
            for version in ("1", "2"):
                train(source(history), Target(tmp_path / "net" / version), options, PROFILE)

        first, again = ((tmp_path / "net" / version / "model.skops").read_bytes() for version in ("1", "2"))
        assert first == again
