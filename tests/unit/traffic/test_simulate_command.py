"""`fraudstream simulate` on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.adapters.tabular.files import read_batches
from app.cli import app

SMALL = ("--customers", "100", "--terminals", "30", "--days", "2", "--seed", "1", "--start", "2025-06-01")


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.jsonl"])
def test_a_simulated_file_can_be_read_and_is_reproducible(tmp_path: Path, name: str) -> None:
    run = CliRunner().invoke(app, ["simulate", *SMALL, "--out", str(tmp_path / name), "--json"])
    first = (tmp_path / name).read_bytes()
    CliRunner().invoke(app, ["simulate", *SMALL, "--out", str(tmp_path / name)])
    batches = list(read_batches(tmp_path / name))
    summary = json.loads(run.stdout)

    assert sum(map(len, batches)) == summary["transactions"]
    assert (
        sum(0 if batch.is_fraud is None else int(batch.is_fraud.sum()) for batch in batches)
        == summary["frauds"]
    )
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "f.csv", "--topic"],
        ["--out", "f.csv", "name-without-topic"],
        ["--out", "f.csv", "--rate", "5"],
        ["--out", "f.csv", "--start", "yesterday"],
        ["--out", "f.csv", "--terminals", "1"],
    ],
)
def test_contradictory_arguments_are_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["simulate", *arguments]).exit_code == 2
