"""Choosing a back-end: the faster one for each chunk size, and never one whose scores differ."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from app.adapters.models import bundles
from app.adapters.models.backends import BATCHES, around, choose, same
from app.adapters.models.estimators import scorers_of
from app.adapters.models.loading import UNSIGNED, Loading
from app.adapters.models.scorers import ScoreRows, Scorers
from app.domain.decision import Thresholds
from app.errors import ModelRejected
from app.scoring.model import Rows, Scores
from tests.unit.small_bundle import BOOSTED, DESCRIBED, FRAUDS, ROWS

GOLDEN = ROWS[:64]
THRESHOLDS = Thresholds(review=0.2, decline=0.8)
USUAL = np.zeros((1, ROWS.shape[1]))


def ramp(rows: Rows) -> Scores:
    """The first feature, between 0 and 1."""
    return np.clip(np.nan_to_num(rows[:, 0]), 0, 1)


def alike(rows: Rows) -> Scores:
    return ramp(rows)


def slightly_off_near_the_threshold(rows: Rows) -> Scores:
    """Differs from ``ramp`` only close to the threshold."""
    scores = ramp(rows)
    return np.where((scores >= 0.2) & (scores < 0.201), scores - 0.002, scores)


def scorers_with(compiled: ScoreRows | None) -> Scorers:
    return Scorers(ramp, compiled, lambda _: None)


def timed(**micros: tuple[float, ...]) -> Callable[[ScoreRows, Rows], float]:
    """A fake clock: microseconds of each back-end for each of BATCHES."""
    own = dict(zip(BATCHES, micros["sklearn"], strict=True))
    compiled = dict(zip(BATCHES, micros["compiled"], strict=True))
    return lambda score, batch: (own if score is ramp else compiled)[len(batch)]


def test_the_faster_back_end_scores_each_chunk_size() -> None:
    measure = timed(sklearn=(900.0, 1_000.0, 2_000.0), compiled=(10.0, 100.0, 3_000.0))

    found = choose("auto", scorers_with(alike), GOLDEN, THRESHOLDS, measure)

    assert {1: "compiled", 32: "compiled", 500: "sklearn"} == found.by_batch
    assert found.micros["sklearn"][500] == 2_000.0


@pytest.mark.parametrize(("size", "expected"), [(1, 2.0), (32, 2.0), (33, 1.0), (500, 1.0), (2_000, 1.0)])
def test_a_chunk_between_two_measured_sizes_uses_the_back_end_of_the_larger(
    size: int, expected: float
) -> None:
    own: ScoreRows = lambda rows: ramp(rows) * 0 + 1.0 if len(rows) == size else ramp(rows)  # noqa: E731
    measure = lambda score, batch: float(len(batch) > 32) if score is not own else 0.5  # noqa: E731
    compiled: ScoreRows = lambda rows: ramp(rows) * 0 + 2.0 if len(rows) == size else ramp(rows)  # noqa: E731
    rows = GOLDEN[:60]

    found = choose("auto", Scorers(own, compiled, lambda _: None), rows, THRESHOLDS, measure)

    assert expected == found.score(np.resize(ROWS, (size, ROWS.shape[1])))[0]


@pytest.mark.parametrize("wanted", ["sklearn", "compiled"])
def test_the_setting_decides_without_measuring(wanted: str) -> None:
    found = choose(wanted, scorers_with(alike), GOLDEN, THRESHOLDS)  # type: ignore[arg-type]  # one of them

    assert set(found.by_batch.values()) == {wanted}
    assert found.micros == {}
    assert found.score is (ramp if wanted == "sklearn" else alike)


class TestDifferingBackEnd:
    def test_is_detected_by_rows_around_a_threshold(self) -> None:
        assert np.array_equal(ramp(GOLDEN), slightly_off_near_the_threshold(GOLDEN))
        assert not same(ramp, slightly_off_near_the_threshold, GOLDEN, THRESHOLDS)

    def test_is_not_used_and_a_warning_is_given(self) -> None:
        found = choose("auto", scorers_with(slightly_off_near_the_threshold), GOLDEN, THRESHOLDS)

        assert found.score is ramp
        assert "differently" in found.warning

    def test_is_refused_if_the_setting_requires_it(self) -> None:
        with pytest.raises(ModelRejected, match="FRAUDSTREAM_MODEL_BACKEND=auto"):
            choose("compiled", scorers_with(slightly_off_near_the_threshold), GOLDEN, THRESHOLDS)


@pytest.mark.parametrize("wanted", ["sklearn", "compiled"])
def test_an_empty_chunk_has_no_scores(wanted: str) -> None:
    found = choose(wanted, scorers_of(BOOSTED, USUAL), GOLDEN, THRESHOLDS)  # type: ignore[arg-type]  # one of them

    assert found.score(ROWS[:0]).tolist() == []


def test_generated_rows_lie_on_both_sides_of_a_threshold_and_close_to_it() -> None:
    scores = ramp(around(ramp, GOLDEN, 0.2))

    assert scores.min() < 0.2 <= scores.max()
    assert np.sort(np.abs(scores - 0.2))[:10].max() < 0.01


def test_no_row_is_generated_if_all_scores_lie_on_one_side() -> None:
    assert len(around(ramp, GOLDEN, 2.0)) == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_both_back_ends_score_a_boosted_model_equally_around_any_threshold(share: float) -> None:
    found = scorers_of(BOOSTED, USUAL)

    assert found.compiled is not None
    rows = around(found.own, GOLDEN, float(np.quantile(found.own(GOLDEN), share)))
    assert len(rows) > 0
    assert np.array_equal(found.own(rows), found.compiled(rows))


class TestBundle:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        bundles.save(tmp_path / "small" / "1", DESCRIBED, BOOSTED, GOLDEN, "")
        return tmp_path / "small" / "1"

    @pytest.mark.parametrize("wanted", ["auto", "sklearn", "compiled"])
    def test_scores_are_bit_identical_for_every_back_end(self, path: Path, wanted: str) -> None:
        bundle = bundles.load(path, Loading(backend=wanted))  # type: ignore[arg-type]  # one of them

        assert np.array_equal(BOOSTED.predict_proba(ROWS)[:, 1], bundle.score(ROWS))
        assert wanted == "auto" or set(bundle.backend.by_batch.values()) == {wanted}

    def test_auto_measures_both_back_ends(self, path: Path) -> None:
        measured = bundles.load(path, UNSIGNED).backend.micros

        assert {"sklearn", "compiled"} == set(measured)
        assert all(set(BATCHES) == set(taken) and min(taken.values()) > 0 for taken in measured.values())

    def test_a_linear_model_has_no_compiled_back_end(self, tmp_path: Path) -> None:
        linear = LogisticRegression().fit(np.nan_to_num(ROWS), FRAUDS)
        bundles.save(tmp_path / "small" / "1", DESCRIBED, linear, np.nan_to_num(GOLDEN), "")

        assert set(bundles.load(tmp_path / "small" / "1", UNSIGNED).backend.by_batch.values()) == {"sklearn"}
        with pytest.raises(ModelRejected, match="scored by sklearn only"):
            bundles.load(tmp_path / "small" / "1", Loading(backend="compiled"))
