"""Decodes Arrow columns of any common type to fields of the contract, a whole column at a time.

Every function raises InvalidFile at the first invalid value, with its row and column. Messages never hold a value.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.adapters.column_mapping import ColumnMapping
from app.adapters.tabular.batches import Encoded, Reals, encoded
from app.adapters.tabular.column import Column, numbers

_MAX_TEXT = 64


def texts(column: Column, *, required: bool, max_length: int = _MAX_TEXT) -> pa.Array:
    """Identifiers and tokens: text of 1 to ``max_length`` characters; integers become decimal text."""
    array = _text_array(column)
    if required:
        column.refuse_nulls()
    _refuse_lengths(column, pc.utf8_length(array), max_length)
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


def coordinates(column: Column, bound: float) -> Reals:
    """Degrees within ``[-bound, bound]``, NaN for null."""
    values = column.cast(pa.float64(), "a number")
    column.refuse_where(pc.invert(pc.less_equal(pc.abs(values), bound)), f"must lie within {bound:g} degrees")
    return numbers(values)


def fraud_flags(column: Column) -> NDArray[np.bool_]:
    """Labels from booleans, 0 and 1, or their text."""
    column.refuse_nulls()
    if pa.types.is_integer(column.array.type):
        column.refuse_where(pc.invert(pc.is_in(column.array, pa.array([0, 1]))), "must be 0 or 1")
    return numbers(column.cast(pa.bool_(), "a boolean, or 0 or 1"))


def fraud_patterns(column: Column, mapping: ColumnMapping) -> pa.Array:
    """Names of fraud patterns by the mapping's codes, null where there is none."""
    found = _text_array(column).dictionary_encode()
    names = [mapping.fraud_patterns.get(code, code) or None for code in found.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(found.indices)


def _refuse_lengths(column: Column, length: pa.Array, longest: int = _MAX_TEXT) -> None:
    column.refuse_where(pc.equal(length, 0), "is empty")
    column.refuse_where(pc.greater(length, longest), f"is longer than {longest} characters")


def _text_array(column: Column) -> pa.Array:
    kind = column.array.type
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise column.wrong_type("text or integers")
    return column.cast(pa.string(), "text")
