"""A raw column of a file, with what messages about its values need."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.adapters.mapped_values.refused import Refused
from app.adapters.tabular.positions import position
from app.errors import InvalidFile, InvalidReason


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of consecutive rows, with the path, name and row number that error messages need."""

    path: Path
    name: str
    first_row: int
    array: pa.Array
    rows: NDArray[np.int64] | None = None
    """Numbers of the rows, where they are not consecutive from ``first_row`` on."""

    def with_array(self, array: pa.Array) -> "Column":
        return msgspec.structs.replace(self, array=array)

    def taken(self, kept: NDArray[np.int64]) -> "Column":
        """The rows with these indexes."""
        rows = self.first_row + kept if self.rows is None else self.rows[kept]
        return msgspec.structs.replace(self, array=self.array.take(pa.array(kept)), rows=rows)

    def refuse_where(
        self, bad: pa.Array, what: str, reason: InvalidReason = InvalidReason.OUT_OF_RANGE
    ) -> None:
        """Raise InvalidFile at the first row where ``bad`` is true."""
        index = pc.index(bad, value=True).as_py()
        if index >= 0:
            raise self.invalid(index, what, reason)

    def invalid(self, index: int, what: str, reason: InvalidReason) -> InvalidFile:
        row = self.first_row + index if self.rows is None else int(self.rows[index])
        return InvalidFile(f"{position(self.path, row)}, column `{self.name}`: {what}", reason)

    def refused(self, index: int, refused: Refused) -> InvalidFile:
        return self.invalid(index, refused.what, refused.reason)

    def wrong_type(self, wanted: str) -> InvalidFile:
        return InvalidFile(
            f"{self.path}, column `{self.name}`: is {self.array.type}, must be {wanted}",
            InvalidReason.WRONG_TYPE,
        )

    def refuse_nulls(self) -> None:
        if self.array.null_count:
            self.refuse_where(self.array.is_null(), "is null", InvalidReason.MISSING_FIELD)

    def cast(self, kind: pa.DataType, wanted: str) -> pa.Array:
        """The column as ``kind``. Raises InvalidFile at the first row that cannot be converted."""
        try:
            return self.array.cast(kind)
        except pa.ArrowNotImplementedError as error:
            raise self.wrong_type(wanted) from error
        except pa.ArrowInvalid:
            # Arrow's message quotes the value, which must not be reported, and not the row: find the row.
            index = next(row for row in range(len(self.array)) if not _castable(self.array[row], kind))
        raise self.invalid(index, f"must be {wanted}", InvalidReason.WRONG_TYPE)


def numbers(array: pa.Array) -> NDArray[Any]:
    """A writable copy: Numba compiles a second version of its functions for read-only arrays such as Arrow's."""
    return np.array(array.to_numpy(zero_copy_only=False))


def all_match(array: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(array, pattern)).as_py())


def plain(array: pa.Array) -> pa.Array:
    """The same values without a dictionary, text in the one type that decoders know."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    is_text = pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type)
    return array.cast(pa.string()) if is_text else array


def _castable(value: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        value.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
