"""Training: the same history gives the same bundle, and nothing of the future is learnt."""

import json
import warnings
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from app.adapters.bundles import Bundle, load
from app.adapters.estimators import judgement
from app.adapters.history import HistorySource
from app.adapters.manifest import ProfileBounds
from app.adapters.mappings import CONTRACT
from app.adapters.table_writer import ColumnType, TableWriter
from app.cli import app
from app.domain.acceptance import Acceptance
from app.domain.decision import Thresholds
from app.errors import ConfigurationError, InvalidFile, ModelRejected
from app.features import catalog
from app.features.window import DAY_MS
from app.traffic.simulate import Simulation, simulate
from app.training.absent import absent, partly_absent
from app.training.dataset import Dataset
from app.training.evaluation import choose_thresholds, evaluate, precision_threshold, share_threshold
from app.training.fitting import fit, require_storable
from app.training.options import TrainingOptions
from app.training.population import GOLDEN_ROWS, distribution, golden_rows
from app.training.recipe import Piece, Recipe, build, read_recipe
from app.training.split import Split, plan, require_frauds, sampled
from app.training.train import Target, train

PROFILE = ProfileBounds(allowed_lateness_seconds=86_400, max_events=4096)
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
SMALL = Recipe(estimator=Piece(path=BOOSTING, parameters={"max_iter": 5}))
OPTIONS = TrainingOptions(recipe=SMALL, test_days=7, review_share=0.05)
NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of a hundred customers, about 12,000 transactions."""
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    simulation = Simulation(customers=100, terminals=50, days=60, seed=3, start=date(2025, 1, 1))
    schema: dict[str, ColumnType] = {
        "transaction_id": "text", "customer_id": "text", "terminal_id": "text", "event_time": "integer",
        "amount_minor": "integer", "currency": "text", "is_fraud": "boolean",
    }  # fmt: skip
    with TableWriter(path, schema) as writer:
        for batch in simulate(simulation):
            writer.write(batch.columns())
    return path


def source(path: Path) -> HistorySource:
    return HistorySource(path=path, mapping=CONTRACT, acceptance=Acceptance(), now_ms=NOW_MS)


@pytest.fixture(scope="module")
def bundle(history: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    path = tmp_path_factory.mktemp("models") / "small" / "1"
    return path, train(source(history), Target(path), OPTIONS, PROFILE)


def test_the_same_history_and_seed_give_the_same_bytes(
    history: Path, bundle: tuple[Path, Bundle], tmp_path: Path
) -> None:
    first, again = bundle[0], tmp_path / "small" / "1"

    train(source(history), Target(again), OPTIONS, PROFILE)

    assert {p.name: p.read_bytes() for p in again.iterdir()} == {
        p.name: p.read_bytes() for p in first.iterdir()
    }


def test_a_trained_bundle_loads_and_knows_what_it_was_made_from(bundle: tuple[Path, Bundle]) -> None:
    manifest = load(bundle[0]).manifest

    assert manifest.features == list(catalog.NAMES)
    assert manifest.created == "2025-03-01"
    assert manifest.training.frauds > 0
    assert sum(manifest.scores.counts) == manifest.training.rows
    assert all(sum(d.counts) + d.missing == manifest.training.rows for d in manifest.distributions.values())


def test_the_card_names_the_figures_of_the_manifest(bundle: tuple[Path, Bundle]) -> None:
    card, manifest = (bundle[0] / "CARD.md").read_text(), bundle[1].manifest

    assert f"{manifest.training.rows:,} transactions" in card
    assert f"Review from {manifest.thresholds.review:.6g}" in card


def test_an_existing_version_is_refused_before_anything_is_read(bundle: tuple[Path, Bundle]) -> None:
    with pytest.raises(ModelRejected, match="never overwritten"):
        train(source(Path("nowhere.jsonl")), Target(bundle[0]), OPTIONS, PROFILE)


def test_the_command_trains_and_says_how_good_it_is(history: Path, tmp_path: Path) -> None:
    parameters = tmp_path / "small.toml"
    parameters.write_text(f'[estimator]\nclass = "{BOOSTING}"\nparameters = {{ max_iter = 3 }}\n')
    out = tmp_path / "models" / "small" / "2"

    ran = CliRunner().invoke(
        app, ["train", str(history), "--out", str(out), "--model", str(parameters), "--json"]
    )

    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["digest"] == load(out).reference.digest
    assert told["metrics"]["auc_roc"] > 0.5


def test_a_history_without_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text(
        "transaction_id,customer_id,terminal_id,event_time,amount_minor,currency\n"
        "t1,c1,m1,1700000000000,100,EUR\n"
    )

    with pytest.raises(InvalidFile, match="no labels"):
        train(source(path), Target(tmp_path / "m" / "1"), OPTIONS, PROFILE)


def dataset(days: int) -> Dataset:
    """One transaction an hour; every tenth is a fraud."""
    hours = np.arange(days * 24 + 1, dtype=np.int64)
    return Dataset(
        rows=np.zeros((len(hours), len(catalog.NAMES))),
        frauds=hours % 10 == 0,
        event_times=hours * DAY_MS // 24,
        customers=hours % 5,
        patterns=np.zeros_like(hours),
        transactions=hours,
    )


def split_by_time(history: Dataset, options: TrainingOptions) -> Split:
    """As training reads a file."""
    times = history.event_times
    planned = plan(int(times.min()), int(times.max()), options)
    fitted = history.where(sampled(planned, options)(history))
    return Split(fitted, history.where(planned.tests(times)), planned)


@pytest.mark.parametrize(
    ("days", "warm_up", "delay", "fitted_days", "tested_days"),
    # test 7 days, at least 7 days to fit
    [(90, 30, 7, 46, 7), (60, 30, 7, 16, 7), (40, 0, 7, 26, 7), (21, 0, 7, 7, 7), (15, 0, 0, 8, 7)],
)
def test_warm_up_and_delay_are_left_out_where_the_span_allows(
    days: int, warm_up: int, delay: int, fitted_days: int, tested_days: int
) -> None:
    split = split_by_time(dataset(days), OPTIONS)

    assert (split.plan.warm_up_days, split.plan.delay_days) == (warm_up, delay)
    assert len(split.fitted) == 24 * fitted_days + 1
    assert len(split.tested) == 24 * tested_days


def test_nothing_fitted_is_younger_than_the_delay_before_the_first_tested() -> None:
    split = split_by_time(dataset(90), OPTIONS)

    assert split.tested.event_times.min() - split.fitted.event_times.max() > 7 * DAY_MS


def test_a_history_as_short_as_its_test_is_refused() -> None:
    with pytest.raises(InvalidFile, match="both kinds are needed"):
        require_frauds(split_by_time(dataset(5), OPTIONS).fitted, "these days")


def test_a_feature_that_no_row_has_changes_no_score() -> None:
    data = dataset(60)
    data.rows[:, 0] = data.frauds
    data.rows[:, 3] = np.nan
    estimator = fit(data, OPTIONS)
    with_value = data.rows.copy()
    with_value[:, 3] = 7.0

    assert np.array_equal(estimator.predict_proba(data.rows), estimator.predict_proba(with_value))


class TestThresholds:
    scores = np.array([0.9, 0.8, 0.8, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1])
    frauds = np.array([True, True, False, True, False, False, False, False, False, False])

    @pytest.mark.parametrize(("share", "expected"), [(0.1, 0.9), (0.4, 0.3), (0.001, 0.9), (1.0, 0.1)])
    def test_a_share_is_the_score_that_so_many_reach(self, share: float, expected: float) -> None:
        assert share_threshold(self.scores, share) == expected

    @pytest.mark.parametrize(("precision", "expected"), [(1.0, 0.9), (0.75, 0.3), (0.3, 0.1), (0.7, 0.3)])
    def test_a_precision_is_the_lowest_score_that_keeps_it(self, precision: float, expected: float) -> None:
        assert precision_threshold(self.scores, self.frauds, precision) == expected

    def test_a_precision_that_is_never_reached_declines_nothing(self) -> None:
        assert precision_threshold(self.scores, ~self.frauds & False, 0.5) == 1.0

    def test_decline_is_never_below_review(self) -> None:
        options = TrainingOptions(review_share=0.1, decline_share=0.1, decline_precision=0.3)

        assert choose_thresholds(self.scores, self.frauds, options) == Thresholds(review=0.9, decline=0.9)

    def test_metrics_count_what_each_threshold_would_have_caught(self) -> None:
        metrics = evaluate(self.scores, self.frauds, Thresholds(review=0.3, decline=0.9), days=2)

        assert (metrics["review_precision"], metrics["review_recall"]) == (0.75, 1.0)
        assert (metrics["review_alerts_per_day"], metrics["decline_alerts_per_day"]) == (2.0, 0.5)

    def test_ranking_is_not_defined_without_frauds(self) -> None:
        none = np.zeros(10, dtype=np.bool_)

        assert evaluate(self.scores, none, Thresholds(review=0.3, decline=0.9), days=2)["auc_roc"] is None


class TestPopulation:
    def test_a_bin_holds_its_upper_edge(self) -> None:
        values = np.repeat([1.0, 2.0, 3.0], 100)

        found = distribution(values, np.zeros(300, dtype=np.bool_))

        assert found.edges == [1.0, 2.0, 3.0]
        assert found.counts == [100, 100, 100, 0]

    def test_the_median_is_of_the_legitimate_and_missing_values_are_counted(self) -> None:
        found = distribution(np.array([1.0, 2.0, 900.0, np.nan]), np.array([False, False, True, False]))

        assert (found.median, found.missing) == (1.5, 1)

    def test_a_feature_nobody_has_is_one_empty_bin(self) -> None:
        found = distribution(np.full(5, np.nan), np.zeros(5, dtype=np.bool_))

        assert (found.edges, found.counts, found.missing, found.median) == ([], [0], 5, None)

    def test_golden_rows_hold_every_missing_feature_and_the_highest_score(self) -> None:
        rng = np.random.default_rng(1)
        rows = rng.normal(size=(1000, len(catalog.NAMES)))
        rows[500, 4] = rows[700, 9] = np.nan
        scores = rng.random(1000)

        golden = golden_rows(rows, scores)

        assert golden.shape == (GOLDEN_ROWS, len(catalog.NAMES))
        assert np.isnan(golden[:, [4, 9]]).any(axis=0).all()
        assert rows[scores.argmax()].tolist() in golden.tolist()

    def test_golden_rows_hold_what_a_worker_sees_while_redis_is_away(self) -> None:
        rows = np.random.default_rng(1).normal(size=(1000, len(catalog.NAMES)))

        golden = golden_rows(rows, rows[:, 0])

        without = np.isnan(golden[:, catalog.DELAYED]).all(axis=1)
        assert 0 < without.sum() < GOLDEN_ROWS / 2
        assert not np.isnan(golden[:, : catalog.DELAYED.start]).any()
        assert golden[without, 0].max() == rows[:, 0].max()


class TestAbsent:
    def test_a_share_of_the_rows_is_without_entities_for_a_while(self) -> None:
        rows = np.random.default_rng(1).normal(size=(5_000, len(catalog.NAMES)))
        before = rows.copy()

        with partly_absent(rows, 0.1, seed=3):
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
        unknown = msgspec.structs.replace(data, rows=absent(rows))
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
            ("sklearn.ensemble.os", {}, "is no estimator"),
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

    @pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
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


def mean_score(fitted: Dataset, options: TrainingOptions, tested: Dataset) -> float:
    score_rows = judgement(fit(fitted, options), np.zeros((1, len(catalog.NAMES)))).score
    return float(score_rows(tested.rows).mean())


def noisy(count: int) -> Dataset:
    """Forty days; a fifth of the frauds look like anybody."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(count, len(catalog.NAMES)))
    frauds = rows[:, 0] + random.normal(size=count) > 2
    return Dataset(
        rows=rows,
        frauds=frauds,
        event_times=np.linspace(0, 40 * DAY_MS, count).astype(np.int64),
        customers=np.arange(count) % 100,
        patterns=np.zeros(count, dtype=np.int64),
        transactions=np.zeros(count, dtype=np.int64),
    )
