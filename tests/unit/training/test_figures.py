"""Thresholds, histograms and golden rows, as the bundle keeps them."""

import numpy as np
import pytest

from app.computation.feature_set import SHIPPED
from app.domain.decision import Thresholds
from app.features import catalog
from app.training.evaluation import choose_thresholds, evaluate, precision_threshold, share_threshold
from app.training.options import TrainingOptions
from app.training.population import GOLDEN_ROWS, distribution, golden_rows


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

        golden = golden_rows(rows, SHIPPED, scores)

        assert golden.shape == (GOLDEN_ROWS, len(catalog.NAMES))
        assert np.isnan(golden[:, [4, 9]]).any(axis=0).all()
        assert rows[scores.argmax()].tolist() in golden.tolist()

    def test_golden_rows_hold_what_a_worker_sees_while_redis_is_away(self) -> None:
        rows = np.random.default_rng(1).normal(size=(1000, len(catalog.NAMES)))

        golden = golden_rows(rows, SHIPPED, rows[:, 0])

        without = np.isnan(golden[:, catalog.DELAYED]).all(axis=1)
        assert 0 < without.sum() < GOLDEN_ROWS / 2
        assert not np.isnan(golden[:, : catalog.DELAYED.start]).any()
        assert golden[without, 0].max() == rows[:, 0].max()
