"""Amounts of a whole column: what ``mapped_values.amounts`` defines for one value, in a few vector operations.

The vector way handles plain integers, decimals and floating-point numbers. Where any value of the column is something
else, each is converted by the definition, which also gives the reason of a refusal.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.amounts import minor_units, power_of_ten, refuse_factor
from app.adapters.mapped_values.refused import Refused
from app.adapters.tabular.batches import Encoded, Integers
from app.adapters.tabular.column import Column, all_match, numbers
from app.domain.money import minor_digits
from app.domain.transaction import MAX_AMOUNT_MINOR
from app.errors import InvalidReason

_INTEGER = "^-?[0-9]{1,18}$"
_DECIMAL = r"^(?P<whole>[0-9]{1,12})(?:\.(?P<decimals>[0-9]{1,4}))?$"
_MOST_DECIMALS = 4
"""Of ISO 4217."""
_NEGATIVE = "^-[0-9.]*[1-9]"
_NEARLY_HALF = 1e-3
"""Beyond it, doubles round as the decimal numbers that they stand for."""

Shifts = Integers
"""Number of decimals that become digits of the integer, of each row."""


def amounts(column: Column, currencies: Encoded, mapping: ColumnMapping) -> Integers:
    """Minor units of each row. Raises InvalidFile at the first that has none, exactly."""
    column.refuse_nulls()
    shifts = _shifts(currencies, mapping)
    found = None if shifts is None else _by_vectors(column.array, shifts, mapping)
    if found is not None and len(found) and (found.min() < 0 or found.max() > MAX_AMOUNT_MINOR):
        found = None
    return _one_by_one(column, currencies, mapping) if found is None else found


def negative(array: pa.Array) -> NDArray[np.bool_]:
    """Which raw amounts are below zero; not a null, nor what is no number."""
    is_number = (
        pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)
    )
    if is_number:
        found = pc.less(array, pa.scalar(0, array.type))
    else:
        found = pc.match_substring_regex(array.cast(pa.string()), _NEGATIVE)
    return np.asarray(pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False))


def _shifts(currencies: Encoded, mapping: ColumnMapping) -> Shifts | None:
    """None where the amounts are converted one by one."""
    if mapping.amount == "major":
        return np.array([minor_digits(text) for text in currencies.texts], np.int64)[currencies.codes]
    decimals = power_of_ten(mapping.amount_factor or 1)
    if decimals is None or not all(_fits(mapping, currency) for currency in currencies.texts):
        return None
    return np.full(len(currencies.codes), decimals)


def _fits(mapping: ColumnMapping, currency: str) -> bool:
    try:
        refuse_factor(mapping, currency)
    except Refused:
        return False
    return True


def _by_vectors(array: pa.Array, shifts: Shifts, mapping: ColumnMapping) -> Integers | None:
    kind, whole = array.type, mapping.amount == "minor" and mapping.amount_factor is None
    if pa.types.is_decimal(kind):
        array = array.cast(pa.string())
    elif pa.types.is_integer(kind):
        return _shifted(array, shifts)
    elif pa.types.is_floating(kind):
        return None if whole else _of_doubles(array, shifts, rounds=mapping.rounding == "half_even")
    if not pa.types.is_string(array.type):
        return None
    if all_match(array, _INTEGER):
        return _shifted(array, shifts)
    return None if whole or not all_match(array, _DECIMAL) else _of_decimals(array, shifts)


def _shifted(array: pa.Array, shifts: Shifts) -> Integers | None:
    try:
        values = numbers(array.cast(pa.int64()))
    except pa.ArrowInvalid:
        return None  # an unsigned integer beyond 63 bits
    limit = MAX_AMOUNT_MINOR // 10**shifts
    return values * 10**shifts if ((values >= 0) & (values <= limit)).all() else None


def _of_doubles(array: pa.Array, shifts: Shifts, *, rounds: bool) -> Integers | None:
    """A double is the decimal number nearest to it: the one that gives the same double again."""
    values = numbers(array.cast(pa.float64()))
    if not (np.abs(values) <= MAX_AMOUNT_MINOR).all():  # false for NaN too
        return None
    factors = 10.0**shifts
    scaled = values * factors
    rounded = np.rint(scaled)
    sure = np.abs(rounded) <= MAX_AMOUNT_MINOR
    if rounds:
        sure &= np.abs(np.abs(scaled - rounded) - 0.5) > _NEARLY_HALF
    else:
        sure &= rounded / factors == values
    return rounded.astype(np.int64) if sure.all() else None


def _of_decimals(array: pa.Array, shifts: Shifts) -> Integers | None:
    parts = pc.extract_regex(array, _DECIMAL)
    whole = numbers(pc.struct_field(parts, "whole").cast(pa.int64()))
    padded = pc.utf8_rpad(pc.struct_field(parts, "decimals"), _MOST_DECIMALS, "0")
    decimals = numbers(pc.replace_with_mask(padded, pc.equal(padded, ""), "0").cast(pa.int64()))
    fraction, rest = np.divmod(decimals, 10 ** (_MOST_DECIMALS - shifts))
    return None if rest.any() else whole * 10**shifts + fraction


def _one_by_one(column: Column, currencies: Encoded, mapping: ColumnMapping) -> Integers:
    return np.fromiter(_converted(column, currencies, mapping), np.int64, len(column.array))


def _converted(column: Column, currencies: Encoded, mapping: ColumnMapping) -> Iterable[int]:
    for index, value in enumerate(column.array.to_pylist()):
        try:
            minor = minor_units(value, currencies.texts[currencies.codes[index]], mapping)
        except Refused as refused:
            raise column.refused(index, refused) from None
        if minor < 0:
            raise column.invalid(index, "is negative", InvalidReason.OUT_OF_RANGE)
        if minor > MAX_AMOUNT_MINOR:
            raise column.invalid(index, "is larger than any amount", InvalidReason.OUT_OF_RANGE)
        yield minor
