"""What a file makes a command hold in memory is bounded: lines, records with line breaks, batches, row groups, texts stored once."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from app.adapters import file_bounds
from app.adapters.column_mapping import CONTRACT
from app.adapters.tabular.files import read_batches
from app.errors import InvalidFile
from app.history.label_files import read_fraud_flags
from app.settings import FileSettings
from tests.support.wire.transaction import REQUIRED_FIELDS

MIB = 1024 * 1024
LINE = json.dumps(REQUIRED_FIELDS)
HEADER, ROW = ",".join(REQUIRED_FIELDS), ",".join(map(str, REQUIRED_FIELDS.values()))
TOO_LONG = "is longer than FRAUDSTREAM_FILES_LINE_BYTES=1,048,576 bytes"


@pytest.fixture(autouse=True)
def bounds() -> Iterator[Callable[[FileSettings], None]]:
    yield file_bounds.use
    file_bounds.use(FileSettings())


def sparse(path: Path, start: str, end: str = "") -> Path:
    """A file of 2 GiB that takes no disk: text, a line of zeros without an end, text."""
    with path.open("wb") as file:
        file.write(start.encode())
        file.seek(2048 * MIB)
        file.write(f"{end}\n".encode())
    return path


def refusal(read: Callable[[], object]) -> str:
    tracemalloc.start()
    with pytest.raises(InvalidFile) as caught:
        read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * MIB
    return str(caught.value)


def test_a_line_without_an_end_is_refused_after_the_bound(tmp_path: Path) -> None:
    lines = sparse(tmp_path / "a.jsonl", f"{LINE}\n" * 9)
    assert refusal(lambda: list(read_batches(lines))) == f"{lines}, line 10: {TOO_LONG}"
    assert TOO_LONG in refusal(lambda: read_fraud_flags(sparse(tmp_path / "b.jsonl", "{"), CONTRACT))
    rows = sparse(tmp_path / "a.csv", f"{HEADER}\n" + f"{ROW}\n" * 20)
    assert refusal(lambda: list(read_batches(rows))) == f"{rows}, line 22: {TOO_LONG}"
    header = sparse(tmp_path / "b.csv", "transaction_id," * 50)
    assert refusal(lambda: list(read_batches(header))) == f"{header}, line 1: {TOO_LONG}"


def test_a_record_whose_quotes_hold_line_breaks_is_bounded_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    values = ",".join('"a\nb"' for _ in range(400_000))
    path.write_text(f"{HEADER}\n{ROW}\n{ROW},{values}\n", encoding="utf-8")
    assert TOO_LONG in refusal(lambda: list(read_batches(path)))


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_line_of_the_bound_is_read_and_a_longer_one_is_not(
    tmp_path: Path, suffix: str, bounds: Callable[[FileSettings], None]
) -> None:
    bounds(FileSettings(line_bytes=4096))
    path = tmp_path / f"a.{suffix}"
    # Arrow still reads a record of CSV that ends within the next block.
    too_long = 4097 if suffix == "jsonl" else 3 * 4096
    for length, is_read in ((4096, True), (too_long, False)):
        if suffix == "csv":
            row = ROW + "," + "x" * (length - len(ROW) - 2)
            path.write_text(f"{HEADER},note\n{ROW},\n{row}\n", encoding="utf-8")
        else:
            start = f'{LINE[:-1]}, "note": "'
            path.write_text(f'{LINE}\n{start}{"x" * (length - len(start) - 3)}"}}\n', encoding="utf-8")
        if is_read:
            assert sum(map(len, read_batches(path))) == 2
        else:
            with pytest.raises(InvalidFile, match="FRAUDSTREAM_FILES_LINE_BYTES=4,096"):
                list(read_batches(path))


def test_long_lines_of_json_are_read_in_smaller_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    long = f'{LINE[:-1]}, "note": "{"x" * (MIB - 1000)}"}}\n'
    with path.open("w", encoding="utf-8") as file:
        for _ in range(150):
            file.write(long)
    assert [len(batch) for batch in read_batches(path)] == [65, 65, 20]


def parquet(path: Path, **columns: pa.Array) -> Path:
    rows = len(next(iter(columns.values())))
    usual = {name: pa.array([value] * rows) for name, value in REQUIRED_FIELDS.items()}
    pyarrow.parquet.write_table(pa.table(usual | columns), path, compression="zstd")
    return path


def test_a_text_that_is_stored_once_is_not_repeated_without_bound(tmp_path: Path) -> None:
    """1 MiB in 20,000 rows of a small file would be 20 GB."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * (MIB // 2)])
    path = parquet(tmp_path / "a.parquet", device_id=text.cast(pa.dictionary(pa.int32(), pa.string())))
    assert path.stat().st_size < MIB
    before = pa.total_allocated_bytes()
    with pytest.raises(InvalidFile, match="device_id"):
        list(read_batches(path))
    assert pa.default_memory_pool().max_memory() - before < 400 * MIB


def test_batches_are_smaller_where_texts_are_long(
    tmp_path: Path, bounds: Callable[[FileSettings], None]
) -> None:
    ids = [f"{number:060}" for number in range(3_000)]
    path = parquet(tmp_path / "a.parquet", transaction_id=pa.array(ids))
    whole = [batch.transaction_id.to_pylist() for batch in read_batches(path)]
    bounds(FileSettings(batch_bytes=100_000))
    parts = [batch.transaction_id.to_pylist() for batch in read_batches(path)]
    assert (len(whole), [each for part in parts for each in part]) == (1, ids)
    assert max(map(len, parts)) <= 100_000 // 60


def test_a_row_group_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, bounds: Callable[[FileSettings], None]
) -> None:
    bounds(FileSettings(row_group_bytes=MIB))
    path = parquet(tmp_path / "b.parquet", device_id=pa.array([f"{number:0900}" for number in range(3_000)]))
    with pytest.raises(
        InvalidFile,
        match=r"row group 1: has .*FRAUDSTREAM_FILES_ROW_GROUP_BYTES=1,048,576",
    ):
        list(read_batches(path))
