"""Event times of a whole column: what ``mapped_values.times`` defines for one value, in a few vector operations."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from app.adapters.column_mapping import TimeUnit
from app.adapters.mapped_values.refused import Refused
from app.adapters.mapped_values.times import LOCAL_TIME, OFFSET, milliseconds
from app.adapters.tabular.batches import Integers
from app.adapters.tabular.column import Column, all_match, numbers
from app.errors import InvalidReason

_TICKS_PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}
_INTEGER = "^-?[0-9]{1,18}$"
_LOCAL = f"^{LOCAL_TIME}$"
_WITH_OFFSET = f"^{LOCAL_TIME}{OFFSET}$"
_MOST_MS = 2**62


def event_times(column: Column, unit: TimeUnit) -> Integers:
    """Milliseconds since the epoch, UTC, from timestamps, integers of ``unit``, or ISO 8601 text. Raises InvalidFile."""
    column.refuse_nulls()
    found = _by_vectors(column.array, unit)
    return np.fromiter(_converted(column, unit), np.int64, len(column.array)) if found is None else found


def _by_vectors(array: pa.Array, unit: TimeUnit) -> Integers | None:
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _floor(array)
    if pa.types.is_string(kind) and all_match(array, _WITH_OFFSET):
        return _parsed(array, pa.timestamp("us", tz="UTC"))
    if pa.types.is_string(kind) and unit == "text":
        return _parsed(array, pa.timestamp("us")) if all_match(array, _LOCAL) else None
    is_text_of_integers = pa.types.is_string(kind) and all_match(array, _INTEGER)
    if unit == "text" or not (pa.types.is_integer(kind) or is_text_of_integers):
        return None
    return _of_integers(array, unit)


def _of_integers(array: pa.Array, unit: TimeUnit) -> Integers | None:
    try:
        values = numbers(array.cast(pa.int64()))
    except pa.ArrowInvalid:
        return None  # an unsigned integer beyond 63 bits
    if unit == "s":
        return values * 1_000 if _within(values, _MOST_MS // 1_000) else None
    return np.floor_divide(values, _TICKS_PER_MS[unit]) if _within(values, _MOST_MS) else None


def _within(values: Integers, bound: int) -> bool:
    return bool(((values > -bound) & (values < bound)).all())


def _parsed(array: pa.Array, kind: pa.DataType) -> Integers | None:
    try:
        return _floor(array.cast(kind))
    except pa.ArrowInvalid:
        return None  # a day that does not exist, or digits beyond microseconds


def _floor(array: pa.Array) -> Integers:
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    values = numbers(array.cast(pa.int64()))
    if array.type.unit == "s":
        return values * 1_000
    return np.asarray(np.floor_divide(values, _TICKS_PER_MS[array.type.unit]))


def _converted(column: Column, unit: TimeUnit) -> Iterable[int]:
    for index, value in enumerate(column.array.to_pylist()):
        try:
            found = milliseconds(value, unit)
        except Refused as refused:
            raise column.refused(index, refused) from None
        if abs(found) >= _MOST_MS:  # beyond every bound of event times, and of the integers that hold them
            reason = InvalidReason.FUTURE_TIME if found > 0 else InvalidReason.ABSURD_TIME
            raise column.invalid(index, "is no plausible time", reason)
        yield found
