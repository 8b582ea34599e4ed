"""Decodes Arrow columns of any common type to fields of the contract, a whole column at a time.

Every function raises InvalidFile at the first invalid value, with its row and column. Messages never hold a value.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.adapters.column_mapping import ColumnMapping, TimeUnit
from app.adapters.tabular import remedies
from app.adapters.tabular.batches import Encoded, Integers, Reals, encoded
from app.adapters.tabular.positions import position
from app.domain.transaction import MAX_AMOUNT_MINOR
from app.errors import InvalidFile

_MAX_TEXT = 64
_TICKS_PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of consecutive rows, with the path, name and row number that error messages need."""

    path: Path
    name: str
    first_row: int
    array: pa.Array

    def refuse_where(self, bad: pa.Array, what: str) -> None:
        """Raise InvalidFile at the first row where ``bad`` is true."""
        index = pc.index(bad, value=True).as_py()
        if index >= 0:
            raise self.invalid(index, what)

    def invalid(self, index: int, what: str) -> InvalidFile:
        return InvalidFile(f"{position(self.path, self.first_row + index)}, column `{self.name}`: {what}")

    def wrong_type(self, wanted: str) -> InvalidFile:
        return InvalidFile(f"{self.path}, column `{self.name}`: is {self.array.type}, must be {wanted}")

    def refuse_nulls(self) -> None:
        if self.array.null_count:
            self.refuse_where(self.array.is_null(), "is null")

    def cast(self, kind: pa.DataType, wanted: str, remedy: Callable[[str], str] = lambda _: "") -> pa.Array:
        """The column as ``kind``. Raises InvalidFile, with what ``remedy`` says about its text, at the first row that
        cannot be converted.
        """
        try:
            return self.array.cast(kind)
        except pa.ArrowNotImplementedError as error:
            raise self.wrong_type(wanted) from error
        except pa.ArrowInvalid:
            # Arrow's message quotes the value, which must not be reported, and not the row: find the row.
            index = next(row for row in range(len(self.array)) if not _castable(self.array[row], kind))
        raise self.invalid(index, f"must be {wanted}{remedy(str(self.array[index]))}")


def texts(column: Column, *, required: bool) -> pa.Array:
    """Identifiers and tokens: text of 1 to 64 characters; integers become decimal text."""
    array = _text_array(column)
    if required:
        column.refuse_nulls()
    _refuse_lengths(column, pc.utf8_length(array))
    return array


def encoded_texts(column: Column) -> Encoded:
    """As ``texts``, required, dictionary-encoded: each distinct value is checked once."""
    # Integers are encoded first, so that each distinct one becomes text once.
    array = column.array if pa.types.is_integer(column.array.type) else _text_array(column)
    column.refuse_nulls()
    found = encoded(array)
    lengths = np.array([len(text) for text in found.texts], dtype=np.int64)
    _refuse_lengths(column, pa.array(lengths[found.codes]))
    return found


def codes(column: Column, pattern: str, wanted: str, *, required: bool) -> pa.Array:
    """Text that matches ``pattern``; ``wanted`` describes it in messages."""
    array = _text_array(column)
    if required:
        column.refuse_nulls()
    column.refuse_where(pc.invert(pc.match_substring_regex(array, pattern)), f"must be {wanted}")
    return array


def event_times(column: Column, unit: TimeUnit) -> Integers:
    """Milliseconds since the epoch, UTC, from timestamps, integers of ``unit``, or ISO 8601 text."""
    column.refuse_nulls()
    kind = column.array.type
    if pa.types.is_string(kind) and unit == "text":
        return _milliseconds(_parsed_times(column))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _milliseconds(column.array)
    if unit == "text" or not (pa.types.is_integer(kind) or pa.types.is_string(kind)):
        raise column.wrong_type("a timestamp, or integers of the mapping's time_unit")
    numbers = column.cast(pa.int64(), "an integer", remedies.for_time)
    if unit == "s":
        in_range = pc.less(pc.abs(numbers), 2**53)
        column.refuse_where(pc.invert(in_range), "is not a time in seconds")
        return _numbers(pc.multiply(numbers, 1_000))
    return _numbers(pc.divide(numbers, _TICKS_PER_MS[unit]))


def amounts(column: Column, factor: float | Reals | None) -> Integers:
    """Minor units: the integers as they are, or ``round(factor * value)``, half to even, by one factor or one per row."""
    column.refuse_nulls()
    if factor is None:
        return _numbers(_in_range(column, _minor_units(column)))
    values = column.cast(pa.float64(), "a number").to_numpy(zero_copy_only=False)
    column.refuse_where(pa.array(~np.isfinite(values)), "is not a finite number")
    return _numbers(_in_range(column, pa.array(np.rint(values * factor))).cast(pa.int64()))


def coordinates(column: Column, bound: float) -> Reals:
    """Degrees within ``[-bound, bound]``, NaN for null."""
    values = column.cast(pa.float64(), "a number")
    column.refuse_where(pc.invert(pc.less_equal(pc.abs(values), bound)), f"must lie within {bound:g} degrees")
    return _numbers(values)


def fraud_flags(column: Column) -> NDArray[np.bool_]:
    """Labels from booleans, 0 and 1, or their text."""
    column.refuse_nulls()
    if pa.types.is_integer(column.array.type):
        column.refuse_where(pc.invert(pc.is_in(column.array, pa.array([0, 1]))), "must be 0 or 1")
    return _numbers(column.cast(pa.bool_(), "a boolean, or 0 or 1"))


def fraud_patterns(column: Column, mapping: ColumnMapping) -> pa.Array:
    """Names of fraud patterns by the mapping's codes, null where there is none."""
    found = _text_array(column).dictionary_encode()
    names = [mapping.fraud_patterns.get(code, code) or None for code in found.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(found.indices)


def _minor_units(column: Column) -> pa.Array:
    kind = column.array.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        raise column.wrong_type(
            'integers of the minor unit; for other amounts give a mapping with amount = "major" or amount_factor'
        )
    return column.cast(pa.int64(), "an integer of the minor unit", remedies.for_amount)


def _in_range(column: Column, values: pa.Array) -> pa.Array:
    column.refuse_where(pc.less(values, 0), "is negative")
    column.refuse_where(pc.greater(values, MAX_AMOUNT_MINOR), "is larger than any amount")
    return values


def _refuse_lengths(column: Column, length: pa.Array) -> None:
    column.refuse_where(pc.equal(length, 0), "is empty")
    column.refuse_where(pc.greater(length, _MAX_TEXT), f"is longer than {_MAX_TEXT} characters")


def _text_array(column: Column) -> pa.Array:
    kind = column.array.type
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (plain or pa.types.is_integer(kind) or pa.types.is_dictionary(kind) or pa.types.is_null(kind)):
        raise column.wrong_type("text or integers")
    return column.cast(pa.string(), "text")


def _parsed_times(column: Column) -> pa.Array:
    """Text without an offset is UTC. Arrow parses text with and without offsets as two types, so both are tried."""
    try:
        return column.array.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return column.cast(
            pa.timestamp("us", tz="UTC"), "an ISO 8601 time, all with or all without an offset"
        )


def _milliseconds(array: pa.Array) -> Integers:
    zone = array.type.tz if pa.types.is_timestamp(array.type) else None
    return _numbers(array.cast(pa.timestamp("ms", tz=zone), safe=False).cast(pa.int64()))


def _castable(value: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        value.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _numbers(array: pa.Array) -> NDArray[Any]:
    """A writable copy: Numba compiles a second version of its functions for read-only arrays such as Arrow's."""
    return np.array(array.to_numpy(zero_copy_only=False))
