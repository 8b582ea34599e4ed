"""Invalid files are refused with row and column, and without the value."""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.adapters.column_mapping import HANDBOOK
from app.adapters.tabular.files import read_batches, row_count
from app.errors import InvalidFile, InvalidReason
from tests.unit.transaction_files import ROWS, SCHEMA, SUFFIXES, handbook_rows, parquet, read, write


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


@pytest.mark.parametrize("column", ["customer_id", "terminal_id"])
@pytest.mark.parametrize("value", ["", "x" * 65, None])
def test_a_repeated_bad_value_is_refused_at_its_first_row(
    tmp_path: Path, column: str, value: str | None
) -> None:
    with pytest.raises(InvalidFile, match=f"row 2, column `{column}`"):
        read(write(tmp_path / "f.parquet", ROWS | {column: ["a", value, value]}))


@pytest.mark.parametrize("amount", [math.nan, math.inf, -0.01, 1e14])
def test_an_invalid_amount_is_refused(tmp_path: Path, amount: float) -> None:
    rows = handbook_rows(TX_AMOUNT=[57.16, amount])
    with pytest.raises(InvalidFile, match="row 2, column `TX_AMOUNT`"):
        read(parquet(tmp_path / "h.parquet", rows), HANDBOOK)


def test_amounts_with_decimals_need_a_mapping(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.parquet", ROWS | {"amount_minor": [1.5, 2.5, 3.5]}, SCHEMA | {"amount_minor": "real"}
    )
    with pytest.raises(
        InvalidFile, match=r'row 1, column `amount_minor`: is not an integer.*amount = "major"'
    ):
        read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", "a,b\n1,secret\n", "no column"),
        ("f.csv", "a,b\n1,2\n3,secret,5\n", "no column"),
        ("f.csv", ",".join(SCHEMA) + "\n1,secret\n", "line 2: another number of values"),
        ("f.parquet", "secret", "cannot be read as parquet"),
        ("f.jsonl", '{"secret"\n', "line 1: is not a JSON object"),
        ("f.jsonl", "[1]\n", "line 1: is not a JSON object"),
        ("f.csv", "", "is empty"),
        ("f.csv", "\n\r\n", "is empty"),
        ("f.parquet", "", "is empty"),
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


def test_non_numeric_text_is_refused_without_quoting_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "f.csv", ROWS | {"amount_minor": ["1", "2", "secret"]}, SCHEMA | {"amount_minor": "text"}
    )
    with pytest.raises(
        InvalidFile, match="line 4, row 3, column `amount_minor`: is not a decimal number"
    ) as refused:
        read(path)

    assert "secret" not in str(refused.value)


def _not_utf8(column: str) -> pa.Table:
    """Three rows, of which the last has text that is not UTF-8. Arrow stores it without a check."""
    bad = pa.array([*(str(value).encode() for value in ROWS[column][:2]), b"caf\xe9"], pa.binary())
    return pa.table(ROWS | {column: bad.view(pa.string())})


@pytest.mark.parametrize(
    "column",
    ["transaction_id", "customer_id", "event_time", "amount_minor", "currency", "terminal_id"],
)
def test_text_of_parquet_that_is_not_utf8_is_refused_with_its_row(tmp_path: Path, column: str) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(_not_utf8(column), path)

    with pytest.raises(InvalidFile, match=f"row 3, column `{column}`: is text that is not UTF-8") as refused:
        list(read_batches(path, batch_rows=2))

    assert refused.value.reason is InvalidReason.UNDECODABLE


def test_a_column_name_of_parquet_that_is_not_utf8_refuses_the_file(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table(ROWS | {"odd_name": [1, 2, 3]}), path)
    path.write_bytes(path.read_bytes().replace(b"odd_name", b"odd_\xffame"))

    with pytest.raises(InvalidFile, match="cannot be read as parquet"):
        list(read_batches(path))
    assert row_count(path) is None


def test_a_line_of_csv_with_too_few_values_is_named_when_it_is_not_utf8(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "f.csv", ROWS)
    path.write_bytes(path.read_bytes() + b"caf\xe9,1\n")

    with pytest.raises(InvalidFile, match="line 5: another number of values than columns"):
        list(read_batches(path))
    assert capsys.readouterr().err == ""
