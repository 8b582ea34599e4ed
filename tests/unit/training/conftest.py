"""A history that several files learn from."""

from datetime import date
from pathlib import Path

import pytest

from app.adapters.tabular.table_writer import ColumnType, TableWriter
from app.traffic.simulate import Simulation, simulate


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
