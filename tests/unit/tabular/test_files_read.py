"""Reading transactions from files: formats, types, mappings and batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.adapters.column_mapping import HANDBOOK, ColumnMapping, load_mapping
from app.adapters.tabular.files import read_batches, row_count
from app.domain.transaction import Transaction
from tests.support.paths import SHARED
from tests.unit.transaction_files import ROWS, SCHEMA, SUFFIXES, handbook_rows, lists, parquet, read, write

HANDBOOK_FILE = SHARED / "data" / "handbook" / "transactions.parquet"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_returns_the_rows_as_written(tmp_path: Path, suffix: str) -> None:
    assert lists(read(write(tmp_path / f"f{suffix}", ROWS))) == ROWS


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_batch_holds_at_most_the_requested_rows_and_the_number_of_its_first(
    tmp_path: Path, suffix: str
) -> None:
    batches = list(read_batches(write(tmp_path / f"f{suffix}", ROWS), batch_rows=2))

    assert [(b.first_row, len(b)) for b in batches] == [(1, 2), (3, 1)]


def test_a_missing_optional_column_is_none(tmp_path: Path) -> None:
    assert read(write(tmp_path / "f.csv", ROWS)).channel is None


def test_customers_and_terminals_are_codes_of_distinct_texts(tmp_path: Path) -> None:
    batch = read(write(tmp_path / "f.csv", ROWS))

    assert (batch.customer_id.codes.tolist(), batch.customer_id.texts) == ([0, 0, 1], ["c1", "c2"])
    assert (batch.terminal_id.codes.tolist(), batch.terminal_id.texts) == ([0, 1, 0], ["t1", "t2"])


def test_a_missing_coordinate_is_nan(tmp_path: Path) -> None:
    rows = {name: values for name, values in ROWS.items() if name not in ("latitude", "longitude")}
    with_places, without_places = read(write(tmp_path / "f.csv", ROWS)), read(write(tmp_path / "g.csv", rows))

    assert np.isnan(with_places.places()).tolist() == [[False, True, False]] * 2
    assert np.isnan(without_places.places()).tolist() == [[True, True, True]] * 2


def test_transactions_carry_the_fields_of_the_contract_without_a_label(tmp_path: Path) -> None:
    second = list(read(write(tmp_path / "f.csv", ROWS)).transactions())[1]

    assert second == Transaction(
        transaction_id="b",
        customer_id="c1",
        terminal_id="t2",
        event_time=1_522_540_832_001,
        amount_minor=5716,
        currency="EUR",
    )


def test_handbook_columns_become_fields_of_the_contract(tmp_path: Path) -> None:
    batch = read(parquet(tmp_path / "h.parquet", handbook_rows()), HANDBOOK)

    assert lists(batch) == {
        "transaction_id": ["0", "1"],
        "customer_id": ["596", "4961"],
        "terminal_id": ["3156", "3412"],
        "event_time": [1_522_540_831_000, 1_522_540_930_000],
        "amount_minor": [5716, 8151],
        "currency": ["EUR", "EUR"],
        "is_fraud": [False, True],
        "fraud_pattern": [None, "compromised_terminal"],
    }


def test_handbook_as_csv_gives_the_same_rows_as_parquet(tmp_path: Path) -> None:
    text = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n0,2018-04-01 00:00:31,596,3156,57.16,0\n"
    (tmp_path / "h.csv").write_text(text)
    batch = read(tmp_path / "h.csv", HANDBOOK)

    assert (batch.event_time.tolist(), batch.amount_minor.tolist()) == ([1_522_540_831_000], [5716])


@pytest.mark.skipif(not HANDBOOK_FILE.exists(), reason="the Handbook's file is not on this machine")
def test_handbook_amounts_are_rounded_as_python_rounds() -> None:
    path = HANDBOOK_FILE
    amounts = next(pq.ParquetFile(path).iter_batches(50_000, columns=["TX_AMOUNT"]))["TX_AMOUNT"].to_pylist()
    batch = next(read_batches(path, HANDBOOK, batch_rows=50_000))

    assert [round(100 * amount) for amount in amounts] == batch.amount_minor.tolist()


@pytest.mark.parametrize(
    ("unit", "given"),
    [
        ("s", 1_522_540_831),
        ("ms", 1_522_540_831_000),
        ("us", 1_522_540_831_000_000),
        ("ns", 1_522_540_831 * 10**9),
    ],
)
def test_integer_times_are_read_in_the_unit_of_the_mapping(tmp_path: Path, unit: Any, given: int) -> None:
    rows = {name: values[:1] for name, values in ROWS.items()} | {"event_time": [given]}

    batch = read(write(tmp_path / "f.csv", rows), ColumnMapping(time_unit=unit))

    assert batch.event_time.tolist() == [1_522_540_831_000]


@pytest.mark.parametrize(
    "text", ["2018-04-01T00:00:31", "2018-04-01T00:00:31Z", "2018-04-01 02:00:31.000+02:00"]
)
def test_times_as_text_are_utc_unless_they_have_an_offset(tmp_path: Path, text: str) -> None:
    rows = {name: values[:1] for name, values in ROWS.items()} | {"event_time": [text]}
    path = write(tmp_path / "f.jsonl", rows, SCHEMA | {"event_time": "text"})

    assert read(path, ColumnMapping(time_unit="text")).event_time.tolist() == [1_522_540_831_000]


def test_a_mapping_file_names_columns_scale_currency_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'amount_scale = 1000\nrounding = "half_even"\ncurrency = "KWD"\n[columns]\namount_minor = "amount"\n[fraud_patterns]\nstolen_card = "theft"\n'
    )
    rows = {name: values for name, values in ROWS.items() if name not in ("amount_minor", "currency")}
    path = write(tmp_path / "f.csv", rows | {"amount": [0.0005, 1.0015, 2.0]}, SCHEMA | {"amount": "real"})
    found = lists(read(path, load_mapping(str(tmp_path / "m.toml"))))

    assert (found["amount_minor"], found["currency"]) == ([0, 1002, 2000], ["KWD"] * 3)
    assert found["fraud_pattern"] == [None, "theft", None]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_major_amounts_become_minor_units_by_the_currency_of_each_row(tmp_path: Path, suffix: str) -> None:
    rows = ROWS | {"amount_minor": [57.16, 500.0, 1.25], "currency": ["EUR", "JPY", "KWD"]}
    path = write(tmp_path / f"f{suffix}", rows, SCHEMA | {"amount_minor": "real"})

    assert read(path, ColumnMapping(amount="major")).amount_minor.tolist() == [5_716, 500, 1_250]


def test_major_amounts_become_minor_units_by_the_currency_of_the_mapping(tmp_path: Path) -> None:
    rows = {name: values for name, values in ROWS.items() if name != "currency"}
    path = write(
        tmp_path / "f.csv", rows | {"amount_minor": [0.0, 1.25, 2.0]}, SCHEMA | {"amount_minor": "real"}
    )

    assert read(path, ColumnMapping(amount="major", currency="KWD")).amount_minor.tolist() == [
        0,
        1_250,
        2_000,
    ]


def test_the_row_count_of_a_parquet_file_is_read_from_its_metadata(tmp_path: Path) -> None:
    assert row_count(write(tmp_path / "f.parquet", ROWS)) == 3
    assert row_count(write(tmp_path / "f.csv", ROWS)) is None
