"""Reading transactions from files: what is understood, and how what is not is refused."""

import math
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.adapters.batches import Batch
from app.adapters.files import read_batches, row_count
from app.adapters.mappings import CONTRACT, HANDBOOK, ColumnMapping, load_mapping
from app.adapters.table_writer import ColumnType, TableWriter
from app.domain.transaction import Transaction
from app.errors import ConfigurationError, InvalidFile

HANDBOOK_FILE = Path(__file__).parents[3] / "shared" / "data" / "handbook" / "transactions.parquet"
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


def read(path: Path, mapping: ColumnMapping = CONTRACT) -> Batch:
    (batch,) = read_batches(path, mapping)
    return batch


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_back_what_was_written(tmp_path: Path, suffix: str) -> None:
    assert read(write(tmp_path / f"f{suffix}", ROWS)).columns() == ROWS


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_batch_holds_at_most_the_rows_asked_for_and_knows_its_first(tmp_path: Path, suffix: str) -> None:
    batches = list(read_batches(write(tmp_path / f"f{suffix}", ROWS), batch_rows=2))

    assert [(b.first_row, len(b)) for b in batches] == [(1, 2), (3, 1)]


def test_a_missing_optional_column_is_none(tmp_path: Path) -> None:
    assert read(write(tmp_path / "f.csv", ROWS)).channel is None


def test_transactions_carry_the_contract_and_no_label(tmp_path: Path) -> None:
    second = list(read(write(tmp_path / "f.csv", ROWS)).transactions())[1]

    assert second == Transaction(
        transaction_id="b",
        customer_id="c1",
        terminal_id="t2",
        event_time=1_522_540_832_001,
        amount_minor=5716,
        currency="EUR",
    )


def test_handbook_columns_become_the_contract(tmp_path: Path) -> None:
    batch = read(parquet(tmp_path / "h.parquet", handbook_rows()), HANDBOOK)

    assert batch.columns() == {
        "transaction_id": ["0", "1"],
        "customer_id": ["596", "4961"],
        "terminal_id": ["3156", "3412"],
        "event_time": [1_522_540_831_000, 1_522_540_930_000],
        "amount_minor": [5716, 8151],
        "currency": ["EUR", "EUR"],
        "is_fraud": [False, True],
        "fraud_pattern": [None, "compromised_terminal"],
    }


def test_handbook_as_csv_reads_as_the_parquet_does(tmp_path: Path) -> None:
    text = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n0,2018-04-01 00:00:31,596,3156,57.16,0\n"
    (tmp_path / "h.csv").write_text(text)
    batch = read(tmp_path / "h.csv", HANDBOOK)

    assert (batch.event_time, batch.amount_minor) == ([1_522_540_831_000], [5716])


@pytest.mark.skipif(not HANDBOOK_FILE.exists(), reason="the Handbook's file is not on this machine")
def test_handbook_amounts_are_rounded_as_python_rounds() -> None:
    path = HANDBOOK_FILE
    amounts = next(pq.ParquetFile(path).iter_batches(50_000, columns=["TX_AMOUNT"]))["TX_AMOUNT"].to_pylist()
    batch = next(read_batches(path, HANDBOOK, batch_rows=50_000))

    assert [round(100 * amount) for amount in amounts] == batch.amount_minor


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

    assert read(write(tmp_path / "f.csv", rows), ColumnMapping(time_unit=unit)).event_time == [
        1_522_540_831_000
    ]


@pytest.mark.parametrize(
    "text", ["2018-04-01T00:00:31", "2018-04-01T00:00:31Z", "2018-04-01 02:00:31.000+02:00"]
)
def test_times_as_text_are_utc_unless_they_say_otherwise(tmp_path: Path, text: str) -> None:
    rows = {name: values[:1] for name, values in ROWS.items()} | {"event_time": [text]}
    path = write(tmp_path / "f.jsonl", rows, SCHEMA | {"event_time": "text"})

    assert read(path, ColumnMapping(time_unit="text")).event_time == [1_522_540_831_000]


def test_a_mapping_file_names_columns_scale_currency_and_patterns(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'amount_scale = 1000\ncurrency = "KWD"\n[columns]\namount_minor = "amount"\n[fraud_patterns]\nstolen_card = "theft"\n'
    )
    rows = {name: values for name, values in ROWS.items() if name not in ("amount_minor", "currency")}
    path = write(tmp_path / "f.csv", rows | {"amount": [0.0005, 1.0015, 2.0]}, SCHEMA | {"amount": "real"})
    batch = read(path, load_mapping(str(tmp_path / "m.toml")))

    assert (batch.amount_minor, batch.currency) == ([0, 1002, 2000], ["KWD"] * 3)
    assert batch.fraud_pattern == [None, "theft", None]


@pytest.mark.parametrize(
    "text", ["amount_scale = -1", "colums = 1", '[columns]\nmerchant = "x"', "not toml", "time_unit = 3"]
)
def test_a_wrong_mapping_file_is_a_configuration_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"m\.toml"):
        load_mapping(str(tmp_path / "m.toml"))


def test_an_unknown_mapping_lists_the_built_in_ones() -> None:
    with pytest.raises(ConfigurationError, match="contract, handbook"):
        load_mapping("handbok")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_column_is_named_with_the_remedy(tmp_path: Path, suffix: str) -> None:
    rows = {name: values for name, values in ROWS.items() if name != "terminal_id"}
    with pytest.raises(InvalidFile, match=r"no column `terminal_id`.*--mapping FILE\.toml"):
        list(read_batches(write(tmp_path / f"f{suffix}", rows)))


def test_a_handbook_file_read_as_contract_suggests_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="Did you mean --mapping handbook"):
        read(parquet(tmp_path / "h.parquet", handbook_rows()))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("transaction_id", None),
        ("customer_id", ""),
        ("terminal_id", "x" * 65),
        ("amount_minor", -1),
        ("amount_minor", 10**15 + 1),
        ("amount_minor", None),
        ("event_time", None),
        ("currency", "eur"),
        ("country", "FRA"),
        ("latitude", 90.5),
        ("longitude", None),
        ("is_fraud", None),
    ],
)
def test_a_value_out_of_contract_is_refused_with_row_and_column(
    tmp_path: Path, suffix: str, column: str, value: object
) -> None:
    rows = ROWS | {column: [*ROWS[column][:2], value]}
    named = "latitude" if column == "longitude" else column
    with pytest.raises(InvalidFile, match=f"row 3, column `{named}`") as refused:
        list(read_batches(write(tmp_path / f"f{suffix}", rows), batch_rows=2))

    assert str(value) not in str(refused.value).split("`: ")[1] or value in (None, "")


@pytest.mark.parametrize("amount", [math.nan, math.inf, -0.01, 1e14])
def test_an_amount_that_is_no_amount_is_refused(tmp_path: Path, amount: float) -> None:
    rows = handbook_rows(TX_AMOUNT=[57.16, amount])
    with pytest.raises(InvalidFile, match="row 2, column `TX_AMOUNT`"):
        read(parquet(tmp_path / "h.parquet", rows), HANDBOOK)


def test_amounts_with_decimals_need_a_scale(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.parquet", ROWS | {"amount_minor": [1.5, 2.5, 3.5]}, SCHEMA | {"amount_minor": "real"}
    )
    with pytest.raises(InvalidFile, match="amount_scale"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", "a,b\n1,secret\n", "no column"),
        ("f.csv", "a,b\n1,2\n3,secret,5\n", "line 3: another number of values"),
        ("f.csv", ",".join(SCHEMA) + "\n1,secret\n", "line 2: another number of values"),
        ("f.parquet", "secret", "cannot be read as parquet"),
        ("f.jsonl", '{"secret"\n', "row 1: is not a JSON object"),
        ("f.jsonl", "[1]\n", "row 1: is not a JSON object"),
        ("f.csv", "", "cannot be read as csv"),
        ("f.xlsx", "", "suffix must be one of"),
    ],
)
def test_an_unreadable_file_is_refused_without_its_content(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidFile, match=message) as refused:
        list(read_batches(tmp_path / name))

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_absent_file_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InvalidFile, match="No such file"):
        list(read_batches(tmp_path / f"absent{suffix}"))


def test_text_that_is_no_number_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.csv", ROWS | {"amount_minor": ["1", "2", "secret"]}, SCHEMA | {"amount_minor": "text"}
    )
    with pytest.raises(InvalidFile, match="row 3, column `amount_minor`: must be an integer") as refused:
        read(path)

    assert "secret" not in str(refused.value)


def test_the_rows_of_a_parquet_file_are_known_beforehand(tmp_path: Path) -> None:
    assert row_count(write(tmp_path / "f.parquet", ROWS)) == 3
    assert row_count(write(tmp_path / "f.csv", ROWS)) is None
