"""Small transaction files for the tests."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.tabular.batches import TransactionBatch
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.table_writer import ColumnType, TableWriter

SUFFIXES = [".parquet", ".csv", ".jsonl", ".ndjson"]
SCHEMA: dict[str, ColumnType] = {
    "transaction_id": "text",
    "customer_id": "text",
    "terminal_id": "text",
    "event_time": "integer",
    "amount_minor": "integer",
    "currency": "text",
    "country": "text",
    "latitude": "real",
    "longitude": "real",
    "is_fraud": "boolean",
    "fraud_pattern": "text",
}
ROWS: dict[str, list[Any]] = {
    "transaction_id": ["007", "b", "c"],
    "customer_id": ["c1", "c1", "c2"],
    "terminal_id": ["t1", "t2", "t1"],
    "event_time": [1_522_540_831_000, 1_522_540_832_001, 1_522_540_833_999],
    "amount_minor": [0, 5716, 10**15],
    "currency": ["EUR", "EUR", "NAD"],
    "country": ["FR", None, "NA"],
    "latitude": [48.85, None, -22.56],
    "longitude": [2.35, None, 17.08],
    "is_fraud": [False, True, False],
    "fraud_pattern": [None, "stolen_card", None],
}


def handbook_rows(**changes: list[Any]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {
        "TRANSACTION_ID": [0, 1],
        "TX_DATETIME": [datetime(2018, 4, 1, 0, 0, 31), datetime(2018, 4, 1, 0, 2, 10)],  # noqa: DTZ001 - as in the file
        "CUSTOMER_ID": [596, 4961],
        "TERMINAL_ID": [3156, 3412],
        "TX_AMOUNT": [57.16, 81.51],
        "TX_FRAUD": [0, 1],
        "TX_FRAUD_SCENARIO": [0, 2],
    }
    return rows | changes


def write(path: Path, rows: dict[str, list[Any]], schema: dict[str, ColumnType] = SCHEMA) -> Path:
    with TableWriter(path, {name: schema[name] for name in rows}) as writer:
        writer.write(rows)
    return path


def parquet(path: Path, rows: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(rows), path)
    return path


def read(path: Path, mapping: ColumnMapping = CONTRACT) -> TransactionBatch:
    (batch,) = read_batches(path, mapping)
    return batch


def lists(batch: TransactionBatch) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in batch.columns().items()}
