"""Where the columns of a Parquet file are stored, by its footer."""

from collections.abc import Iterator
from typing import NamedTuple

from app.adapters.parquet_format.pages import ReadAt
from app.adapters.parquet_format.thrift import Malformed, Reader, Value

MAGIC = b"PAR1"
TAIL_BYTES = 8
"""The length of the footer, and the magic bytes."""
MOST_BYTES = 32 * 1024 * 1024
"""Of a footer: a hundred thousand columns of row groups."""
_ROW_GROUPS, _COLUMNS, _COLUMN = 4, 1, 3
_PATH, _VALUES, _STORED_SIZE, _DATA_AT, _DICTIONARY_AT = 3, 5, 7, 9, 11


class StoredColumn(NamedTuple):
    """A column of a row group."""

    row_group: int
    """Counted from 0."""
    name: str
    """The first part of its path: a column within a struct has the name of the struct."""
    begin: int
    end: int
    values: int


def stored_columns(read_at: ReadAt, file_bytes: int) -> Iterator[StoredColumn]:
    """The columns of all row groups. Raises Malformed for a footer that is none, or too long."""
    length = _footer_bytes(read_at, file_bytes)
    data = read_at(file_bytes - TAIL_BYTES - length, length)
    for number, group in enumerate(_structs(Reader(data, 0, len(data)).struct(), _ROW_GROUPS)):
        for column in _structs(group, _COLUMNS):
            yield _stored(number, column.get(_COLUMN))


def _footer_bytes(read_at: ReadAt, file_bytes: int) -> int:
    tail = read_at(max(0, file_bytes - TAIL_BYTES), TAIL_BYTES)
    length = int.from_bytes(tail[:4], "little")
    if len(tail) < TAIL_BYTES or tail[4:] != MAGIC or length > file_bytes - TAIL_BYTES:
        raise Malformed("no footer")
    if length > MOST_BYTES:
        raise Malformed(f"a footer of {length:,} bytes, more than {MOST_BYTES:,}")
    return length


def _stored(row_group: int, found: Value | None) -> StoredColumn:
    if not isinstance(found, dict):
        raise Malformed("a column without metadata")
    path, values, stored, begin = (found.get(field) for field in (_PATH, _VALUES, _STORED_SIZE, _DATA_AT))
    if not (isinstance(path, list) and path and isinstance(path[0], bytes)):
        raise Malformed("a column without a name")
    if not (isinstance(values, int) and isinstance(stored, int) and isinstance(begin, int)):
        raise Malformed("a column without its position")
    dictionary = found.get(_DICTIONARY_AT)
    if isinstance(dictionary, int) and 0 < dictionary < begin:  # as Arrow finds it
        begin = dictionary
    if min(values, stored, begin) < 0:
        raise Malformed("a column outside of the file")
    return StoredColumn(row_group, path[0].decode(errors="replace"), begin, begin + stored, values)


def _structs(fields: dict[int, Value], field: int) -> list[dict[int, Value]]:
    found = fields.get(field, [])
    if not isinstance(found, list):
        raise Malformed("a list of another kind")
    structs = [item for item in found if isinstance(item, dict)]
    if len(structs) < len(found):
        raise Malformed("a list of another kind")
    return structs
