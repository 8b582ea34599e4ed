"""``fraudstream evaluate`` as its user sees it: the same figures whichever way the scores come."""

import json
import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.evaluation.importances import MOST_FRAUDS, MOST_LEGITIMATE, Sampler, importances
from app.evaluation.pictures import alert_budget, calibration
from app.features import catalog
from app.features.window import DAY_MS
from app.scoring.model import Rows, Scores
from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from app.training.scored_dataset import ScoredDataset
from tests.support.bundle import write_models

BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
FOLDS = ["--protocol", "prequential", "--folds", "2", "--delay-days", "3", "--top-k", "5"]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty days of 150 customers."""
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    simulation = Simulation(customers=150, terminals=50, days=30, seed=3, start=date(2025, 1, 1))
    write_simulation(simulation, path, lambda _: None)
    return path


@pytest.fixture(autouse=True, scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Its champion knows the amount only."""
    directory = tmp_path_factory.mktemp("models")
    write_models(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAUDSTREAM_MODEL_DIR", str(directory))
        yield directory


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.toml"
    path.write_text(f'[estimator]\nclass = "{BOOSTING}"\nparameters = {{ max_iter = 5 }}\n')
    return path


def evaluated(*arguments: object) -> dict[str, Any]:
    ran = CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def refusal(*arguments: object) -> str:
    ran = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    assert ran.exit_code != 0
    return str(ran.exception)


def test_a_bundle_and_the_file_of_its_scores_give_the_same_figures(history: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    assert CliRunner().invoke(app, ["score", str(history), "--out", str(scores)]).exit_code == 0

    by_model, by_file = evaluated(history), evaluated(history, "--scores", scores)

    names = {"auc_roc", "average_precision", "card_precision", "brier"}
    assert names == by_model["mean"].keys()
    assert by_model["mean"] == by_file["mean"]
    one, other = by_model["parts"][0], by_file["parts"][0]
    assert one["rows"] == pyarrow.parquet.read_metadata(history).num_rows
    assert one["patterns"] == other["patterns"] != []
    # A file tells only the lowest score of each outcome; the bundle's threshold lies at or below it.
    assert one["review"] | {"threshold": None} == other["review"] | {"threshold": None}


def test_only_the_days_asked_for_are_judged(history: Path) -> None:
    (part,) = evaluated(history, "--since", "2025-01-10", "--until", "2025-01-12")["parts"]

    table = pyarrow.parquet.read_table(history)
    days = table["event_time"].to_numpy() // DAY_MS
    first = date(2025, 1, 10).toordinal() - date(1970, 1, 1).toordinal()
    chosen = (days >= first) & (days <= first + 2)
    assert part["rows"] == chosen.sum()
    assert part["frauds"] == table["is_fraud"].to_numpy(zero_copy_only=False)[chosen].sum()
    assert (part["first_day"], part["last_day"]) == ("2025-01-10", "2025-01-12")


def test_known_customers_are_left_out_when_asked(history: Path) -> None:
    days = ["--since", "2025-01-20", "--delay-days", "2"]

    with_them, without = evaluated(history, *days), evaluated(history, *days, "--remove-known")

    assert without["parts"][0]["rows"] < with_them["parts"][0]["rows"]


def test_the_protocol_gives_the_same_figures_each_time(history: Path, recipe: Path) -> None:
    first, again = (evaluated(history, *FOLDS, "--model", recipe) for _ in range(2))

    assert first == again
    newest, older = first["parts"]
    assert (newest["last_day"], older["last_day"]) == ("2025-01-30", "2025-01-23")
    assert first["mean"]["auc_roc"] == pytest.approx((newest["auc_roc"] + older["auc_roc"]) / 2)


def test_labels_that_are_known_after_the_training_change_no_model(
    history: Path, recipe: Path, tmp_path: Path
) -> None:
    """All transactions of the waiting days become fraud: it is unknown when the model is trained.

    The thresholds are scores of those days; that customers are then known to be defrauded is the protocol's business.
    """
    table = pyarrow.parquet.read_table(history)
    epoch = date(1970, 1, 1).toordinal()
    waiting = [date(2025, 1, day).toordinal() - epoch for day in (21, 22, 23)]
    late = np.isin(table["event_time"].to_numpy() // DAY_MS, waiting)
    frauds = table["is_fraud"].to_numpy(zero_copy_only=False) | late
    planted = tmp_path / "planted.parquet"
    at = table.column_names.index("is_fraud")
    pyarrow.parquet.write_table(table.set_column(at, "is_fraud", pa.array(frauds)), planted)
    one_fold = ["--protocol", "prequential", "--folds", "1", "--delay-days", "3", "--model", recipe]

    honest, poisoned = (evaluated(file, *one_fold)["parts"][0] for file in (history, planted))

    for outcome in ("review", "decline"):
        assert honest[outcome]["threshold"] == poisoned[outcome]["threshold"]


def test_a_report_is_one_file_with_all_pictures_and_nothing_from_elsewhere(
    history: Path, recipe: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "a.html", tmp_path / "b.html"

    found = evaluated(history, *FOLDS, "--model", recipe, "--report", first)
    evaluated(history, *FOLDS, "--model", recipe, "--report", again)

    page = first.read_text()
    assert first.read_bytes() == again.read_bytes()
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len([ET.fromstring(drawing) for drawing in drawings]) == 4  # noqa: S314  # our own file
    assert not re.search(r"(src|href)=[\"'](?!#)", page.replace("xlink:href", "href"))
    assert "@import" not in page
    assert len(found["importances"]) == len(catalog.NAMES)


def test_a_table_is_printed_for_people(history: Path) -> None:
    ran = CliRunner().invoke(app, ["evaluate", str(history)])

    assert ran.exit_code == 0
    assert "large-amounts/1" in ran.stdout
    assert "stolen_card" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "must be a day"),
        (["--since", "2031-01-01"], "no transaction of the days"),
        (["--protocol", "prequential", "--folds", "9"], "9 folds need"),
        (["--scores", "nowhere.parquet"], "not a file of scores"),
        (["--scores", "x.parquet", "--model", "a/1"], "leave --model"),
        (["--decline-share", "0.5"], "must not exceed"),
    ],
)
def test_a_source_that_cannot_be_evaluated_is_reported(
    history: Path, arguments: list[str], told: str
) -> None:
    assert told in refusal(history, *arguments)


def test_without_an_option_a_short_history_has_as_many_folds_as_fit(history: Path, recipe: Path) -> None:
    found = evaluated(history, "--protocol", "prequential", "--model", recipe)

    assert ["fold 0", "fold 1"] == [part["name"] for part in found["parts"]]


def test_a_transaction_without_a_score_is_refused(history: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.jsonl"
    scores.write_text('{"transaction_id": "elsewhere", "score": 0.5}\n')

    assert "have no score" in refusal(history, "--scores", scores)


def first_feature(rows: Rows) -> Scores:
    return rows[:, 0] / 1000


class TestImportances:
    def test_only_the_feature_that_a_model_looks_at_is_important(self) -> None:
        random = np.random.default_rng(1)
        rows = random.uniform(0, 1000, (3000, len(catalog.NAMES)))
        sampler = Sampler(0, catalog.NAMES)
        sampler.add(rows, rows[:, 0] > 950)

        first, *others = importances(first_feature, sampler.sample(), seed=0)

        assert (first.feature, first.loss > 0.5) == (catalog.NAMES[0], True)
        assert {one.loss for one in others} == {0.0}

    def test_a_sample_is_bounded_and_its_weights_stand_for_the_whole(self) -> None:
        sampler = Sampler(0, catalog.NAMES)
        for _ in range(5):
            rows = np.zeros((10_000, len(catalog.NAMES)))
            sampler.add(rows, np.arange(10_000) % 10 == 0)

        sample = sampler.sample()

        assert len(sample.rows) == MOST_FRAUDS + MOST_LEGITIMATE
        assert sample.weights[sample.frauds].sum() == pytest.approx(5_000)
        assert sample.weights[~sample.frauds].sum() == pytest.approx(45_000)


class TestCurves:
    def with_scores(self, count: int) -> ScoredDataset:
        random = np.random.default_rng(2)
        scores = random.random(count) ** 4
        return ScoredDataset(
            scores=scores,
            frauds=random.random(count) < scores,
            event_times=np.linspace(0, 2 * DAY_MS - 1, count).astype(np.int64),
            customers=np.zeros(count, dtype=np.int64),
            amounts_minor=np.zeros(count, dtype=np.int64),
            patterns=np.zeros(count, dtype=np.int64),
        )

    def test_an_alert_budget_finds_what_its_highest_scores_hold(self) -> None:
        data = self.with_scores(2_000)
        a_day, precision, recall = alert_budget(data)

        at = int(np.flatnonzero(a_day == 50)[0])
        highest = data.frauds[np.argsort(-data.scores)[:100]]
        assert precision[at] == highest.mean()
        assert recall[at] == highest.sum() / data.frauds.sum()

    def test_scores_that_are_probabilities_lie_on_the_diagonal(self) -> None:
        data = self.with_scores(100_000)

        bins = calibration(data.scores, data.frauds)

        assert np.allclose(bins.means, bins.shares, atol=0.05)
