"""Recent rows against the training rows: by brute force, in bounded memory, as metrics and as a command."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from app.adapters.models.bundles import Bundle, champion
from app.adapters.models.loading import UNSIGNED
from app.adapters.observability.prometheus import PrometheusMetrics
from app.cli import app
from app.computation.feature_set import SHIPPED
from app.features.catalog import NAMES
from app.scoring.drift import FEWEST_ROWS, SCORE, Recent, Reference, psi
from app.scoring.model import Rows, Scores
from app.streaming.monitoring.drift_metrics import DriftMetrics
from app.training.population import distribution, distributions
from tests.support.paths import REPOSITORY

NOBODY = np.zeros(4000, bool)
RNG = np.random.default_rng(3)
TRAINED: Rows = RNG.normal(size=(4000, len(NAMES)))
TRAINED[RNG.random(TRAINED.shape) < 0.1] = np.nan
TRAINED_SCORES: Scores = RNG.random(4000)
REFERENCE = Reference(distributions(TRAINED, SHIPPED, NOBODY), distribution(TRAINED_SCORES, NOBODY))


def brute_force(trained: Scores, recent: Scores) -> float:
    """Value by value, from the training rows themselves."""
    edges = distribution(trained, NOBODY).edges
    histograms = [
        [*np.bincount(np.searchsorted(edges, part[np.isfinite(part)]), minlength=len(edges) + 1), missing]
        for part in (trained, recent)
        for missing in [np.count_nonzero(np.isnan(part))]
    ]
    return psi(*histograms)


def test_every_index_equals_a_recount_from_the_rows() -> None:
    rows, scores = TRAINED[:1500] * 1.3 + 0.2, TRAINED_SCORES[:1500] ** 2
    recent = Recent(REFERENCE, 10**6)
    for at in range(0, 1500, 7):
        recent.observe(rows[at : at + 7], scores[at : at + 7])

    found = {drift.name: drift.psi for drift in recent.drifts()}

    expected = {name: brute_force(TRAINED[:, i], rows[:, i]) for i, name in enumerate(NAMES)}
    assert found == pytest.approx(expected | {SCORE: brute_force(TRAINED_SCORES, scores)})
    assert min(found.values()) > 0.05


def test_rows_like_those_of_training_show_nothing() -> None:
    recent = Recent(REFERENCE, 10**6)
    recent.observe(TRAINED, TRAINED_SCORES)

    assert max(drift.psi for drift in recent.drifts()) < 1e-12


def test_a_feature_that_goes_missing_shows_by_that_alone() -> None:
    rows = TRAINED.copy()
    rows[:, 4] = np.nan
    recent = Recent(REFERENCE, 10**6)
    recent.observe(rows, TRAINED_SCORES)

    by_name = {drift.name: drift for drift in recent.drifts()}
    assert by_name[NAMES[4]].psi > 1
    assert (0.1, 1.0) == (round(by_name[NAMES[4]].missing_before, 1), by_name[NAMES[4]].missing_now)
    assert by_name[NAMES[5]].psi < 1e-12


def test_what_is_older_than_the_window_is_forgotten() -> None:
    recent = Recent(REFERENCE, 1_000)
    recent.observe(TRAINED[:1_000] + 100, TRAINED_SCORES[:1_000])
    for at in range(0, 4_000, 50):
        recent.observe(TRAINED[at : at + 50], TRAINED_SCORES[at : at + 50])

    assert 900 <= recent.rows <= 1_050
    assert max(drift.psi for drift in recent.drifts()) < 0.1


def test_the_same_memory_serves_any_number_of_rows() -> None:
    recent = Recent(REFERENCE, 1_000)
    before = recent._blocks.nbytes
    for _ in range(20):
        recent.observe(TRAINED, TRAINED_SCORES)

    assert before == recent._blocks.nbytes < 500_000


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return champion(REPOSITORY / "models", "", UNSIGNED)


def like_training(bundle: Bundle, count: int) -> Rows:
    """Rows whose features lie as in the bundle's histograms, one by one."""
    rng, columns = np.random.default_rng(1), []
    for name in NAMES:
        found = bundle.distributions[name]
        cells = [*found.edges, found.edges[-1] + 1 if found.edges else 0.0, np.nan]
        shares = np.array([*found.counts, found.missing]) / sum([*found.counts, found.missing])
        columns.append(rng.choice(cells, size=count, p=shares))
    return np.array(columns).T.copy()


def page(metrics: PrometheusMetrics) -> str:
    return metrics.page("text/plain").body.decode()


class TestMetrics:
    def test_tell_the_index_once_there_are_enough_rows(self, bundle: Bundle) -> None:
        metrics = PrometheusMetrics()
        watch = DriftMetrics(metrics, 4_000)
        watch.follow(bundle)
        rows = like_training(bundle, 2_000)
        watch.observe(rows[:500], np.zeros(500))
        too_few = page(metrics)
        watch.observe(rows[500:], np.zeros(1_500))

        assert "fraudstream_drift_psi{" not in too_few
        assert "fraudstream_drift_decisions 500.0" in too_few
        assert 'fraudstream_drift_psi{feature="customer_count_1h"} 0.0' in page(metrics)
        assert 'fraudstream_drift_psi{feature="score"} ' in page(metrics)

    def test_begin_anew_with_another_champion(self, bundle: Bundle) -> None:
        metrics = PrometheusMetrics()
        watch = DriftMetrics(metrics, 4_000)
        watch.follow(bundle)
        watch.observe(like_training(bundle, 2_000), np.zeros(2_000))
        watch.follow(bundle)

        assert "fraudstream_drift_psi{" not in page(metrics)
        assert "fraudstream_drift_decisions 0.0" in page(metrics)

    def test_are_not_kept_where_the_setting_is_zero(self, bundle: Bundle) -> None:
        metrics = PrometheusMetrics()
        watch = DriftMetrics(metrics, 0)
        watch.follow(bundle)
        watch.observe(like_training(bundle, 2_000), np.zeros(2_000))

        assert "fraudstream_drift_psi{" not in page(metrics)


class TestCommand:
    @pytest.fixture(autouse=True)
    def models(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(REPOSITORY / "models"))

    @pytest.fixture
    def table(self, bundle: Bundle) -> pa.Table:
        """Features as in training; the score of everybody is the median's."""
        rows = like_training(bundle, FEWEST_ROWS + 500)
        return pa.table(dict(zip(NAMES, rows.T, strict=True)) | {SCORE: np.full(len(rows), 0.001)})

    @pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
    def test_tells_each_index_and_fails_where_one_has_drifted(
        self, table: pa.Table, tmp_path: Path, suffix: str
    ) -> None:
        path = tmp_path / f"scored{suffix}"
        if suffix == ".parquet":
            pyarrow.parquet.write_table(table, path)
        elif suffix == ".csv":
            pyarrow.csv.write_csv(table, path)
        else:
            path.write_text(
                "\n".join(json.dumps(row).replace("NaN", "null") for row in table.to_pylist()) + "\n"
            )

        ran = CliRunner().invoke(app, ["drift", str(path), "--json"])

        told = json.loads(ran.stdout)
        assert 1 == ran.exit_code
        assert FEWEST_ROWS + 500 == told["decisions"]
        by_name = {drift["name"]: drift for drift in told["drifts"]}
        assert ["drifted", "steady"] == [by_name["score"]["level"], by_name["customer_count_1h"]["level"]]
        assert "score" == told["drifts"][0]["name"]

    def test_succeeds_below_the_threshold(self, table: pa.Table, tmp_path: Path) -> None:
        pyarrow.parquet.write_table(table, tmp_path / "s.parquet")

        ran = CliRunner().invoke(app, ["drift", str(tmp_path / "s.parquet"), "--alert", "100"])

        assert 0 == ran.exit_code
        assert "moved" in ran.stdout

    def test_names_a_column_that_is_not_there(self, table: pa.Table, tmp_path: Path) -> None:
        pyarrow.parquet.write_table(table.drop_columns(["score"]), tmp_path / "s.parquet")

        ran = CliRunner().invoke(app, ["drift", str(tmp_path / "s.parquet")])

        assert "has no column score. `fraudstream score FILE --with-features`" in str(ran.exception)

    def test_says_that_few_rows_tell_nothing(self, table: pa.Table, tmp_path: Path) -> None:
        pyarrow.parquet.write_table(table.slice(0, 50), tmp_path / "s.parquet")

        ran = CliRunner().invoke(app, ["drift", str(tmp_path / "s.parquet"), "--alert", "100"])

        assert "50 rows: below 1,000 chance alone moves an index" in ran.stderr
