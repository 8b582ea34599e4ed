"""Reads the wanted columns of a file of JSON lines, in bounded memory."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from app.adapters.bounded_json import MAX_NESTING, BoundedDecoder, TooDeep
from app.adapters.file_bounds import in_force
from app.adapters.mapped_values.building import ABSENT, value_at
from app.adapters.tabular.column import Column
from app.adapters.tabular.positions import written_lines
from app.adapters.tabular.unreadable import NOT_UTF8, is_utf8, refuse_other_format
from app.adapters.tabular.wanted_columns import WantedColumns
from app.errors import InvalidFile, InvalidReason

_BOM = b"\xef\xbb\xbf"
_AS_TEXT: set[type] = {str, int, Decimal}
"""Types that may be mixed in a column: each value has one text."""


def json_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows in order. Raises InvalidFile."""
    refuse_other_format(path, may_be_empty=True)
    # A number with decimals is kept as it is written: a float would be another number.
    decode = BoundedDecoder(dict[str, Any], Decimal).decode
    lines, first_row = written_lines(path), 1
    while rows := list(_objects(_some(lines, batch_rows), decode, path)):
        yield _batch(rows, wanted, path, first_row)
        first_row += len(rows)


def _some(lines: Iterator[tuple[int, bytes]], batch_rows: int) -> Iterator[tuple[int, bytes]]:
    """The next lines, as many as the bounds on the rows and the bytes of a batch allow."""
    left = in_force().batch_bytes
    for number, line in itertools.islice(lines, batch_rows):
        yield number, line
        left -= len(line)
        if left <= 0:
            return


def _objects(
    lines: Iterable[tuple[int, bytes]], decode: Callable[[bytes], dict[str, Any]], path: Path
) -> Iterator[dict[str, Any]]:
    for number, line in lines:
        try:
            yield decode(line.removeprefix(_BOM) if number == 1 else line)
        except (ValueError, RecursionError, ArithmeticError) as error:
            if isinstance(error, TooDeep):
                what = f"is not a JSON object: nested deeper than {MAX_NESTING} levels"
            else:
                what = "is not a JSON object" if is_utf8(line) else NOT_UTF8
            raise InvalidFile(f"{path}, line {number}: {what}", InvalidReason.NOT_JSON) from error


def _batch(rows: list[dict[str, Any]], wanted: WantedColumns, path: Path, first_row: int) -> pa.RecordBatch:
    columns = set().union(*rows)
    nested = {name for name in wanted.columns if "." in name and name not in columns and _has(rows, name)}
    names = wanted.found_in(path, sorted(columns | nested))
    arrays = []
    for name in names:
        column = Column(path=path, name=name, first_row=first_row, array=None)
        arrays.append(_column(_values(rows, name), column, decimals=name in wanted.numbers))
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _has(rows: list[dict[str, Any]], path: str) -> bool:
    return any(value_at(row, path) is not ABSENT for row in rows)


def _values(rows: list[dict[str, Any]], name: str) -> list[Any]:
    if "." not in name:
        return [row.get(name) for row in rows]
    return [None if (value := value_at(row, name)) is ABSENT else value for row in rows]


def _column(values: list[Any], column: Column, *, decimals: bool) -> pa.Array:
    """The values as booleans, integers or text. Values of several types become their text, numbers with ``decimals`` too."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {int} or kinds <= {bool}:
        try:
            return pa.array(values)
        except (OverflowError, pa.ArrowInvalid):
            pass  # an integer of more than 64 bits: its field decides what that means
    allowed = _AS_TEXT if decimals else _AS_TEXT - {Decimal}
    for index, value in enumerate(values) if not kinds <= allowed else ():
        if value is not None and type(value) not in allowed:
            raise column.invalid(
                index, f"is not {'text or a number' if decimals else 'text'}", InvalidReason.WRONG_TYPE
            )
    return pa.array([None if value is None else str(value) for value in values], pa.string())
