"""Amounts in minor units from numbers and decimal text: exact, or refused with the reason.

Nothing is rounded unless the mapping says ``rounding = "half_even"``.

A floating-point number is taken as its shortest decimal text. Up to 15 digits that is the number that was written to the
file or the table; with more digits it is refused.
"""

import math
import re
from base64 import b64decode
from decimal import Decimal
from typing import TypeGuard

from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.refused import missing, out_of_range, wrong_type
from app.domain.money import minor_digits, to_minor

DOUBLE_DIGITS = 15
"""A decimal number of at most this many digits survives the conversion to a double and back (IEEE 754)."""
MOST_SCALE = 16_383
"""Maximal number of decimals of a column; Decimal itself refuses some larger ones."""
MOST_TEXT = 64
"""Maximal number of characters of a number."""

_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][+-]?[0-9]{1,4})?")
_ISO_DECIMALS = (2, 3, 4)
_WHOLE = "JPY"
"""A currency without decimals: with it ``to_minor`` only checks that the amount is a whole number."""


def minor_units(
    value: object, currency: str, mapping: ColumnMapping, numeric_scale: int | None = None
) -> int:
    """The amount of a row in ``currency``. Raises Refused.

    With ``numeric_scale`` text is base64 of an unscaled integer, as Debezium writes a NUMERIC column.
    """
    if mapping.amount == "minor" and mapping.amount_factor is None:
        return _whole(_integer(value, numeric_scale), _WHOLE)
    number = _number(value, numeric_scale)
    if mapping.amount_factor is not None:
        refuse_factor(mapping, currency)
        number, currency = _times(number, mapping.amount_factor), _WHOLE
    if mapping.rounding == "half_even":
        number = _rounded(number, minor_digits(currency))
    elif isinstance(value, float | Decimal):
        _refuse_inexact(number)
    return _whole(number, currency)


def refuse_factor(mapping: ColumnMapping, currency: str) -> None:
    """Raise Refused where one factor for all currencies cannot fit this one.

    A factor of 100 converts currencies with two decimals; yen it would make a hundred times too large. A mapping that
    itself names its only currency says which factor that currency has.
    """
    decimals = power_of_ten(mapping.amount_factor)
    if mapping.currency is None and decimals in _ISO_DECIMALS and decimals != minor_digits(currency):
        raise out_of_range(
            f"is in a currency with {minor_digits(currency)} decimals, and amount_factor = {mapping.amount_factor:g} "
            f'is for {decimals}; give a mapping with amount = "major" instead'
        )


def power_of_ten(factor: float | None) -> int | None:
    """``n`` where the factor is ``10 ** n`` for an ``n`` of 0 to 4, else None."""
    return next((n for n in range(5) if factor == 10**n), None)


def _integer(value: object, numeric_scale: int | None) -> Decimal:
    """The number in a column of minor units, which are written as integers."""
    if isinstance(value, Decimal | float) or (numeric_scale is None and _has_decimals(value)):
        if math.isinf(float(value)):
            raise out_of_range("has more digits than any amount")
        raise wrong_type(
            "an integer of the minor unit",
            '; for amounts with decimals give a mapping with amount = "major"',
        )
    return _number(value, numeric_scale)


def _has_decimals(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(_NUMBER.fullmatch(value)) and not _INTEGER.fullmatch(value)


def _whole(amount: Decimal, currency: str) -> int:
    try:
        return to_minor(amount, currency)
    except ValueError as error:
        raise out_of_range(str(error).removeprefix("the amount ")) from None


def _number(value: object, numeric_scale: int | None) -> Decimal:
    match value:
        case None:
            raise missing()
        case bool():
            raise wrong_type("a number")
        case int():
            return Decimal(value)
        case float():
            return Decimal(repr(value))
        case Decimal():  # a double, by its JSON text
            return value
        case str():
            return _decimal(value) if numeric_scale is None else unscaled(value, numeric_scale)
        case {"scale": int(scale), "value": str(text)} if not isinstance(scale, bool):
            return unscaled(text, scale)
        case _:
            raise wrong_type("a number")


def _refuse_inexact(number: Decimal) -> None:
    if number.is_finite() and len("".join(map(str, number.as_tuple().digits)).strip("0")) > DOUBLE_DIGITS:
        raise out_of_range(
            f"is a double of more than {DOUBLE_DIGITS} digits, which is inexact; write it as text (in a connector: "
            'decimal.handling.mode=string), or give a mapping with rounding = "half_even"'
        )


def _rounded(number: Decimal, decimals: int) -> Decimal:
    """Half to even, with integers: a decimal context would bound the digits."""
    if not number.is_finite() or -(exponent := int(number.as_tuple().exponent)) <= decimals:
        return number
    sign, digits, _ = number.as_tuple()
    divisor = 10 ** min(-exponent - decimals, len(digits) + 1)  # beyond all digits the quotient stays zero
    quotient, rest = divmod(_joined(digits), divisor)
    quotient += 2 * rest > divisor or (2 * rest == divisor and quotient % 2)
    return Decimal((sign, Decimal(quotient).as_tuple().digits, -decimals))


def _times(amount: Decimal, factor: float) -> Decimal:
    """The exact product: a decimal context would round it. The factor is the decimal number that the mapping says."""
    if not amount.is_finite():
        return amount
    sign, digits, exponent = amount.as_tuple()
    _, factor_digits, factor_exponent = Decimal(repr(factor)).as_tuple()
    product = Decimal(_joined(digits) * _joined(factor_digits))
    return Decimal((sign, product.as_tuple().digits, int(exponent) + int(factor_exponent)))


def _joined(digits: tuple[int, ...]) -> int:
    return int("".join(map(str, digits)))


def _decimal(text: str) -> Decimal:
    if len(text) > MOST_TEXT or not _NUMBER.fullmatch(text):
        raise wrong_type("a decimal number", _remedy(text))
    return Decimal(text)


def _remedy(text: str) -> str:
    return '; give a mapping with a "strip" of its other characters' if re.search("[0-9]", text) else ""


def unscaled(text: str, scale: int) -> Decimal:
    """The number whose unscaled value is ``text``: base64 of a big-endian two's complement integer. Raises Refused."""
    if abs(scale) > MOST_SCALE:
        raise out_of_range("has more decimals than any column")
    try:
        data = b64decode(text, validate=True) if 0 < len(text) <= MOST_TEXT else b""
    except ValueError:
        data = b""
    if not data:
        raise wrong_type("the bytes of a number")
    sign, digits, _ = Decimal(int.from_bytes(data, "big", signed=True)).as_tuple()
    return Decimal((sign, digits, -scale))
