"""Files as other programs write them: further columns, doubled names, other encodings, compression."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.tabular.files import read_batches
from app.domain.acceptance import Acceptance
from app.errors import InvalidFile
from app.features.window import DAY_MS, Bounds
from app.history.feature_fold import release_fold
from app.history.fold_history import HistorySource, fold_history
from tests.support.paths import SHARED
from tests.unit.transaction_files import ROWS, SUFFIXES, lists, read, write

CASES = SHARED / "cases"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the collected cases are not on this machine")
HEADER = "transaction_id,customer_id,terminal_id,event_time,amount_minor,currency"
ROW = "a,c1,m,1767225600000,1250,EUR"
ONE_COLUMN_FOR_TWO = ColumnMapping(columns={"customer_id": "terminal_id"})


def csv_file(directory: Path, *lines: str | bytes) -> Path:
    path = directory / "f.csv"
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidFile) as refused:
        list(read_batches(path))
    return str(refused.value)


@pytest.mark.parametrize("late", ["K1A 0B1", "", "1.5", '"quoted"', "M\u00fcller".encode("latin-1")])
def test_no_value_of_a_further_column_refuses_a_csv_file(tmp_path: Path, late: str | bytes) -> None:
    """The type of a further column was inferred from the first megabyte, and a later value of another type refused."""
    last = f"{ROW},".encode() + (late.encode() if isinstance(late, str) else late)
    path = csv_file(tmp_path, f"{HEADER},extra", *[f"{ROW},28654"] * 40_000, last)

    assert sum(map(len, read_batches(path))) == 40_001


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_further_column_of_any_type_is_not_read(tmp_path: Path, suffix: str) -> None:
    rows = {name: list(values) for name, values in ROWS.items() if name != "fraud_pattern"}
    path = tmp_path / f"f{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table(rows | {"extra": [[1], None, [2, 3]]}), path)
    else:
        lines = (dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True))
        written = (
            json.dumps(line | {"extra": extra}) for line, extra in zip(lines, [1, "a", {"b": 2}], strict=True)
        )
        path.write_text("".join(f"{line}\n" for line in written))

    assert lists(read(path)) == rows


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_column_may_hold_two_fields(tmp_path: Path, suffix: str) -> None:
    batch = read(write(tmp_path / f"f{suffix}", ROWS), ONE_COLUMN_FOR_TWO)

    assert lists(batch)["customer_id"] == lists(batch)["terminal_id"] == ROWS["terminal_id"]


def test_a_column_name_that_occurs_twice_is_refused_with_file_and_column(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"])] * 7, names=[*HEADER.split(","), "transaction_id"])
    pq.write_table(table, tmp_path / "f.parquet")

    for path in (csv_file(tmp_path, f"{HEADER},transaction_id", f"{ROW},a"), tmp_path / "f.parquet"):
        assert refusal(path) == (
            f"{path}, column `transaction_id`: the header has this name 2 times; rename or remove the others"
        )


def test_a_doubled_name_that_no_field_uses_is_not_read(tmp_path: Path) -> None:
    assert len(read(csv_file(tmp_path, f"{HEADER},note,note", f"{ROW},x,y"))) == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER, ROW, ROW.replace("c1", "M\u00fcller").encode("latin-1")], "line 3, column `customer_id`: is not UTF-8"),
        ([HEADER, "", ROW, "", ROW.replace("c1", "\u20ac").encode("cp1252")], "line 5, column `customer_id`: is not UTF-8"),
        (["H\u00f6he,".encode("latin-1") + HEADER.encode(), "1," + ROW], "line 1: is not UTF-8"),
    ],
)  # fmt: skip
def test_text_that_is_not_utf8_is_refused_with_its_line_and_the_remedy(
    tmp_path: Path, lines: list[str | bytes], message: str
) -> None:
    path = csv_file(tmp_path, *lines)

    assert refusal(path).startswith(f"{path}, {message}; convert the file first")


def test_json_lines_that_are_not_utf8_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes('{"transaction_id": "M\u00fcller"}\n'.encode("latin-1"))

    assert f"{path}, line 1: is not UTF-8" in refusal(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(HEADER.encode()), "is compressed by gzip; decompress it first: gunzip"),
        (HEADER.encode("utf-16"), "is UTF-16, not UTF-8; convert it first: iconv -f UTF-16 -t UTF-8"),
        (HEADER.encode("utf-16-be"), "is UTF-16 or binary, not UTF-8"),
        (b"PAR1 and more", "is Parquet"),
        (b"PK\x03\x04", "is a ZIP archive or a workbook"),
    ],
    ids=["gzip", "utf-16", "utf-16 without its mark", "parquet", "zip"],
)
def test_another_format_under_the_suffix_is_named_with_the_remedy(
    tmp_path: Path, suffix: str, data: bytes, message: str
) -> None:
    (tmp_path / f"f{suffix}").write_bytes(data)

    assert message in refusal(tmp_path / f"f{suffix}")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_byte_order_mark_of_utf8_is_skipped(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"f{suffix}", ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert lists(read(path)) == ROWS


def test_a_header_without_rows_has_no_transactions(tmp_path: Path) -> None:
    assert sum(map(len, read_batches(csv_file(tmp_path, HEADER)))) == 0


def test_blank_lines_are_skipped_and_messages_count_them(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "", HEADER, "", ROW, "", ROW.replace("EUR", "E"))

    assert refusal(path).startswith(f"{path}, line 6, row 2, column `currency`")


def test_a_line_with_another_number_of_values_is_counted_with_blank_lines(tmp_path: Path) -> None:
    assert "line 4: another number of values" in refusal(csv_file(tmp_path, "", HEADER, "", "a,b"))


def test_a_value_in_quotes_may_hold_line_breaks_and_lines_are_still_counted(tmp_path: Path) -> None:
    note = '"two\r\nlines, ""quoted"""'
    path = csv_file(tmp_path, f"note,{HEADER}", f"{note},{ROW}", f"x,{ROW.replace('c1', note)}")

    assert lists(read(path))["customer_id"] == ["c1", 'two\r\nlines, "quoted"']
    path = csv_file(tmp_path, f"note,{HEADER}", f"{note},{ROW}", "", f"{note},{ROW.replace('EUR', 'E')}")
    assert refusal(path).startswith(f"{path}, line 5, row 2, column `currency`")
    path = csv_file(tmp_path, f"note,{HEADER}", f"{note},{ROW}", "x,y")
    assert "line 4: another number of values" in refusal(path)


def test_a_quote_that_does_not_end_is_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, HEADER, ROW, '"' + ROW, *[ROW] * 100_000)

    assert refusal(path) == f"{path}, line 3: a value in quotes does not end"


def test_a_line_longer_than_a_block_is_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path, f"{HEADER},note", f"{ROW},x", f"{ROW},{'x' * 3_000_000}")

    assert f"{path}, line 3: is longer than" in refusal(path)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [("amount_minor", "12.50", 'amount = "major"'), ("event_time", "2026-01-01 00:00", 'time_unit = "text"')],
)
def test_a_value_in_another_unit_is_refused_with_the_key_of_the_mapping(
    tmp_path: Path, field: str, value: str, remedy: str
) -> None:
    given = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {field: value}

    assert f"line 2, row 1, column `{field}`" in (
        found := refusal(csv_file(tmp_path, HEADER, ",".join(given.values())))
    )
    assert remedy in found
    assert value not in found


@pytest.mark.parametrize(("unit", "per_s"), [("s", 1), ("us", 10**6), ("ns", 10**9)])
def test_a_time_in_another_unit_is_refused_with_that_unit(tmp_path: Path, unit: str, per_s: int) -> None:
    path = csv_file(tmp_path, HEADER, ROW.replace("1767225600000", str(1_700_000_000 * per_s)))
    source = HistorySource(path=path, mapping=CONTRACT, acceptance=Acceptance(), now_ms=1_760_000_000_000)

    with pytest.raises(InvalidFile, match=f'line 2, row 1: event_time .*time_unit = "{unit}"'):
        list(fold_history(source, release_fold(Bounds(DAY_MS, 100))))


@needs_cases
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("15-unreadable-text/latin1.csv", "line 2, column `customer_id`: is not UTF-8"),
        ("15-unreadable-text/utf16.csv", "is UTF-16"),
        ("15-unreadable-text/empty.csv", "is empty"),
        ("07-one-column-for-two-fields/duplicate_header.csv", "column `transaction_id`: the header has this name"),
    ],
)  # fmt: skip
def test_the_collected_cases_are_refused_in_one_line(name: str, message: str) -> None:
    assert message in (found := refusal(CASES / name))
    assert "\n" not in found
