"""Parquet files whose footer says less than their pages unpack to: refused before Arrow allocates what a page says."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.parquet_format.footer import StoredColumn, stored_columns
from app.adapters.parquet_format.pages import Page, ReadAt, pages_of_file
from app.adapters.parquet_format.thrift import Malformed
from app.adapters.tabular.files import read_batches
from app.adapters.tabular.parquet_rows import _beginnings
from app.errors import InvalidFile
from app.settings import FileSettings
from tests.unit.tabular.test_file_bounds import MIB, bounds, parquet  # noqa: F401  # bounds: a fixture

LONG_TEXTS = [f"{number:0900}" for number in range(3_000)]


def in_memory(data: bytes) -> ReadAt:
    return lambda at, most: data[at : at + most]


def varint(number: int, length: int = 1) -> bytes:
    """A signed number as Thrift writes it, in so many bytes at least."""
    rest, found = number << 1 ^ number >> 63, bytearray()
    while rest > 127 or len(found) < length - 1:
        found.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*found, rest])


def with_another_size(data: bytes, size: int, claimed: int) -> bytes:
    """The file with another size of its row group in the footer, where the number takes as many bytes."""
    stored = varint(size)
    at = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert stored in data[at:]
    return data[:at] + data[at:].replace(stored, varint(claimed, len(stored)))


def test_a_footer_that_says_less_than_the_pages_is_refused(
    tmp_path: Path,
    bounds: Callable[[FileSettings], None],  # noqa: F811  # the fixture
) -> None:
    bounds(FileSettings(row_group_bytes=MIB))
    path = parquet(tmp_path / "a.parquet", device_id=pa.array(LONG_TEXTS))
    size = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    path.write_bytes(with_another_size(path.read_bytes(), size, 1_000))
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size == 1_000
    before = pa.total_allocated_bytes()

    with pytest.raises(
        InvalidFile,
        match=r"row group 1: its pages unpack to more than FRAUDSTREAM_FILES_ROW_GROUP_BYTES=1,048,576",
    ):
        list(read_batches(path))
    assert pa.total_allocated_bytes() - before < MIB


@pytest.mark.parametrize("name", ["a", "a.b", "a.b.c"])
def test_a_column_is_found_whatever_its_name(name: str) -> None:
    assert {"a", name} <= set(_beginnings(name))


def test_columns_that_are_not_read_may_have_any_size(
    tmp_path: Path,
    bounds: Callable[[FileSettings], None],  # noqa: F811  # the fixture
) -> None:
    path = parquet(tmp_path / "a.parquet", other=pa.array(LONG_TEXTS))
    size = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    path.write_bytes(with_another_size(path.read_bytes(), size, 1_000))
    bounds(FileSettings(row_group_bytes=MIB))

    assert sum(len(batch.transaction_id) for batch in read_batches(path)) == len(LONG_TEXTS)


def header(kind: int, size: int, stored: int, values: int) -> bytes:
    inner = b"\x15" + varint(values) + b"\0"
    numbers = b"".join(b"\x15" + varint(number) for number in (kind, size, stored))
    return numbers + (b"\x2c" if kind == 0 else b"\x4c") + inner + b"\0"


def test_a_page_says_what_arrow_would_allocate() -> None:
    head = header(0, 2**31 - 1, 10, 5)
    data = head + bytes(10) + header(2, 7, 3, 1) + bytes(3) + header(0, 8, 2, 4) + bytes(2)
    pages = list(pages_of_file(in_memory(data), 0, len(data), 9))

    assert [(page.size, page.values) for page in pages] == [(2**31 - 1, 5), (7, 0), (8, 4)]
    assert pages[0] == Page(0, 2**31 - 1, 10, 5, len(head))
    assert len(list(pages_of_file(in_memory(data), 0, len(data), 5))) == 1, (
        "behind the last value nothing is read"
    )


def test_a_header_with_long_statistics_is_read_whole() -> None:
    statistics = b"\x18" + _length(10**5) + b"x" * 10**5 + b"\0"
    inner = b"\x15" + varint(4) + b"\x4c" + statistics + b"\0"
    data = b"\x15\0\x15" + varint(8) + b"\x15" + varint(2) + b"\x2c" + inner + b"\0" + bytes(2)

    (page,) = pages_of_file(in_memory(data), 0, len(data), 4)
    assert (page.size, page.header) == (8, len(data) - 2)


def _length(count: int) -> bytes:
    found = bytearray()
    while count > 127:
        found.append(count & 127 | 128)
        count >>= 7
    return bytes([*found, count])


files = st.fixed_dictionaries(
    {
        "compression": st.sampled_from(["none", "zstd", "snappy", "gzip"]),
        "use_dictionary": st.booleans(),
        "data_page_size": st.integers(64, 20_000),
        "data_page_version": st.sampled_from(["1.0", "2.0"]),
        "row_group_size": st.integers(50, 3_000),
        "write_page_index": st.booleans(),
        "write_statistics": st.booleans(),
    }
)


def written(rows: int, options: dict[str, Any]) -> bytes:
    table = pa.table(
        {
            "number": pa.array([None if row % 7 == 0 else float(row) for row in range(rows)]),
            "text": pa.array([str(row % 50) * 9 for row in range(rows)]),
            "nested": pa.array([{"a": [row] * (row % 3), "b": {"c": row}} for row in range(rows)]),
        }
    )
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


@given(st.integers(1, 1_000), files)
def test_footer_and_pages_are_those_that_arrow_says(rows: int, options: dict[str, Any]) -> None:
    data = written(rows, options)
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    found = list(stored_columns(in_memory(data), len(data)))

    assert len(found) == metadata.num_row_groups * metadata.num_columns
    for number, stored in enumerate(found):
        column = metadata.row_group(number // metadata.num_columns).column(number % metadata.num_columns)
        pages = list(pages_of_file(in_memory(data), stored.begin, stored.end, stored.values))
        assert (stored.name, stored.values) == (column.path_in_schema.partition(".")[0], column.num_values)
        assert sum(page.values for page in pages if page.kind in {0, 3}) == column.num_values
        unpacked = sum(page.size + page.header for page in pages)
        assert unpacked == column.total_uncompressed_size


@given(st.data())
def test_no_damage_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    sound = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 6))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    read_at = in_memory(bytes(sound[: data.draw(st.integers(0, len(sound)))]))
    try:
        for stored in stored_columns(read_at, len(read_at(0, len(sound)))):
            assert sum(page.size for page in pages_of_file(read_at, *_place(stored))) >= 0
    except Malformed:
        return


def _place(stored: StoredColumn) -> tuple[int, int, int]:
    return stored.begin, stored.end, stored.values


SOUND = written(40, {"compression": "zstd", "row_group_size": 20})
