"""The daily batch commands: files, summaries, exit codes."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet
import pytest
import typer
from typer.testing import CliRunner

from app.cli import app
from app.domain.transaction import Transaction
from app.features import catalog
from app.features.columns import events
from app.features.fold import fold
from app.features.window import Bounds
from tests.support.paths import REPOSITORY

ROOT = REPOSITORY
DAG = ROOT / "docs/airflow/fraudstream_daily.py"
START_MS = 1_735_689_600_000  # 2025-01-01

CALM = [
    {
        "transaction_id": f"t{i}", "customer_id": f"c{i % 3}", "terminal_id": f"m{i % 7}", "currency": "EUR",
        "event_time": START_MS + 3_600_000 * i, "amount_minor": 2_000 + i % 500,
    }
    for i in range(300)
]  # fmt: skip
WILD = [
    CALM[-1] | {"transaction_id": f"w{i}", "amount_minor": 90_000, "event_time": START_MS + 1_080_000_000 + i}
    for i in range(20)
]


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(ROOT / "models"))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return write(tmp_path / "history.jsonl", [*CALM, *WILD])


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process, for the exit code of ``app.cli.main``."""
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own command


def ok(*arguments: object) -> str:
    ran = CliRunner().invoke(app, list(map(str, arguments)))
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_features_has_a_row_per_transaction_and_a_column_per_feature(history: Path, tmp_path: Path) -> None:
    summary = json.loads(ok("features", history, "--out", tmp_path / "f.parquet", "--json"))

    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["transaction_id", *catalog.NAMES]
    assert table["transaction_id"].to_pylist() == [row["transaction_id"] for row in [*CALM, *WILD]]
    assert (summary["rows"], summary["written"], summary["repeats"], summary["customers"]) == (320, 320, 0, 3)


def test_its_features_are_bit_identical_to_a_fold_of_the_same_transactions(
    history: Path, tmp_path: Path
) -> None:
    """Compared with the fold of the stream. No transaction has a fraud label."""
    ok("features", history, "--out", tmp_path / "f.parquet")

    table = pyarrow.parquet.read_table(tmp_path / "f.parquet")
    rows = np.stack([table[name].to_numpy() for name in catalog.NAMES], axis=1)
    transactions = msgspec.convert([*CALM, *WILD], list[Transaction])
    customers = [int(transaction.customer_id[1:]) for transaction in transactions]
    bounds = Bounds(86_400_000, 4096)
    folded = fold([b""] * 3, events(transactions, customers, range(len(customers))), bounds)
    profile = rows[:, : catalog.DELAYED.start]
    assert profile.tobytes() == folded.features.tobytes()
    assert not table["terminal_risk_30d"].to_numpy().any()


def test_the_same_file_gives_the_same_bytes(history: Path, tmp_path: Path) -> None:
    for name in ("a.parquet", "b.parquet"):
        ok("score", history, "--out", tmp_path / name, "--with-features")

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_repeated_transaction_is_scored_once(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", [*CALM, CALM[-1]])

    summary = json.loads(ok("score", path, "--out", tmp_path / "s.jsonl", "--json"))

    assert (summary["rows"], summary["written"], summary["repeats"]) == (301, 300, 1)


def test_alerts_only_writes_the_rows_that_are_not_approved(history: Path, tmp_path: Path) -> None:
    ok("score", history, "--out", tmp_path / "all.parquet")
    summary = json.loads(
        ok("score", history, "--out", tmp_path / "alerts.parquet", "--alerts-only", "--json")
    )

    rows = pyarrow.parquet.read_table(tmp_path / "all.parquet").to_pylist()
    expected = [row for row in rows if row["outcome"] != "approve"]
    assert pyarrow.parquet.read_table(tmp_path / "alerts.parquet").to_pylist() == expected
    assert summary["alerts"] == summary["written"] == len(expected) > 0


def test_scores_are_those_of_the_model_on_the_features_beside_them(history: Path, tmp_path: Path) -> None:
    from app.adapters.models.bundles import champion  # noqa: PLC0415  # only this test scores
    from app.adapters.models.loading import UNSIGNED  # noqa: PLC0415  # only this test scores

    ok("score", history, "--out", tmp_path / "s.parquet", "--with-features")

    table, model = pyarrow.parquet.read_table(tmp_path / "s.parquet"), champion(ROOT / "models", "", UNSIGNED)
    rows = np.stack([table[name].to_numpy() for name in catalog.NAMES], axis=1)
    assert np.array_equal(table["score"].to_numpy(), model.score(np.ascontiguousarray(rows)))
    assert set(table["model_digest"].to_pylist()) == {model.reference.digest}


def test_a_row_out_of_contract_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", [*CALM[:4], CALM[4] | {"terminal_id": "4111 1111 1111 1111"}])

    ran = run("features", path, "--out", tmp_path / "f.csv")

    assert ran.returncode == 1
    assert "row 5: `terminal_id` looks like a primary account number" in ran.stderr
    assert "4111" not in ran.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["h.jsonl"]


def test_a_transaction_in_the_future_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "h.jsonl", [CALM[0] | {"event_time": 2**50}])

    ran = run("score", path, "--out", tmp_path / "s.csv")

    assert (ran.returncode, "row 1: event_time lies ahead" in ran.stderr) == (1, True)


def test_a_missing_model_is_refused(history: Path, tmp_path: Path) -> None:
    ran = run("score", history, "--out", tmp_path / "s.csv", "--model", "nobody/1")

    assert (ran.returncode, "model list" in ran.stderr) == (1, True)


def test_an_unknown_mapping_is_a_usage_error(history: Path, tmp_path: Path) -> None:
    assert run("features", history, "--out", tmp_path / "f.csv", "--mapping", "nothing").returncode == 2


def test_the_committed_models_are_valid() -> None:
    listed = json.loads(ok("model", "list", "--json"))["models"]

    assert [entry["alias"] for entry in listed].count("champion") == 1
    for entry in listed:
        ok("model", "verify", entry["reference"])


def test_profile_settings_that_differ_from_the_models_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_PROFILE_MAX_EVENTS", "100")

    ran = CliRunner().invoke(app, ["model", "verify"])

    assert "FRAUDSTREAM_PROFILE_MAX_EVENTS=4096" in ran.stderr


@pytest.mark.parametrize("name", ["VERIFY", "SCORE"])
def test_the_command_lines_of_the_airflow_example_parse(name: str) -> None:
    constants = {"HISTORY": "", "ALERTS": ""}
    text = DAG.read_text()
    compile(text, str(DAG), "exec")
    for line in text.splitlines():
        if line.split(" = ")[0] in {"HISTORY", "ALERTS", "VERIFY", "SCORE"}:
            exec(line, constants)  # noqa: S102  # constants of our own example, which needs Airflow as a whole

    program, *arguments = shlex.split(constants[name].replace("{{ ds }}", "2025-01-01"))

    assert program == "fraudstream"
    group = typer.main.get_command(app)
    while arguments and hasattr(group, "commands"):
        group = group.commands[arguments.pop(0)]
    assert group.make_context(name, arguments).params
