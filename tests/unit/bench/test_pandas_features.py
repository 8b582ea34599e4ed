"""The pandas contestant of the benchmarks computes the same features, else the comparison would be meaningless."""

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from app.adapters.tabular.table_writer import TRANSACTION_SCHEMA, TableWriter
from app.cli import app
from app.features.catalog import NAMES
from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from bench.contestants import pandas_batch, pandas_features
from tests.support.paths import REPOSITORY

RELATIVE_TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pandas") / "simulated.parquet"
    simulation = Simulation(customers=60, terminals=40, days=45, seed=3, start=date(2025, 1, 1))
    write_simulation(simulation, file, lambda _: None)
    return file


def ours(file: Path) -> dict[str, np.ndarray]:
    out = file.with_name(f"features-of-{file.name}")
    ran = CliRunner().invoke(app, ["features", str(file), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    table = pyarrow.parquet.read_table(out)
    return {name: table[name].to_numpy() for name in NAMES}


def test_pandas_computes_the_same_features(simulated: Path) -> None:
    found, expected = pandas_features.features(pandas_batch.read(simulated)), ours(simulated)

    assert np.isfinite(found["customer_travel_kmh"]).mean() > 0.9
    for name in NAMES:
        np.testing.assert_allclose(found[name], expected[name], RELATIVE_TOLERANCE, 1e-9, err_msg=name)


def test_transactions_with_equal_times_count_those_before_them(tmp_path: Path) -> None:
    rows = {
        "transaction_id": ["a", "b", "c"],
        "customer_id": ["c1"] * 3,
        "terminal_id": ["m1"] * 3,
        "event_time": [1_735_689_600_000] * 3,
        "amount_minor": [1, 2, 3],
        "currency": ["EUR"] * 3,
        "latitude": [48.85] * 3,
        "longitude": [2.35, 2.35, 2.36],
    }
    file = tmp_path / "f.parquet"
    with TableWriter(file, {name: TRANSACTION_SCHEMA[name] for name in rows}) as writer:
        writer.write(rows)
    found = pandas_features.features(pandas_batch.read(file))

    assert found["customer_count_1h"].tolist() == [1, 2, 3]
    assert found["customer_terminal_count_30d"].tolist() == [1, 2, 3]
    for name, values in ours(file).items():
        np.testing.assert_allclose(found[name], values, RELATIVE_TOLERANCE, err_msg=name)


def test_outcomes_follow_the_thresholds(simulated: Path) -> None:
    estimator, thresholds = pandas_batch.load_model(REPOSITORY / "models")
    table = pandas_batch.score(pandas_batch.read(simulated), estimator, thresholds)

    assert set(table["outcome"]) == {"approve", "review", "decline"}
    assert (table["outcome"] != "approve").equals(table["score"] >= thresholds.review)
    assert (table["outcome"] == "decline").equals(table["score"] >= thresholds.decline)
