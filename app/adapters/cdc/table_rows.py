"""Converts a table's row, as Debezium writes it, to a transaction: amounts exactly, times to the millisecond.

By the connector's ``decimal.handling.mode`` a NUMERIC column arrives as decimal text, as bytes, as bytes with a scale, or as
a double. Amounts are never computed in floating point: a double is taken as the decimal number in its JSON text. Up to 15
digits that is the number in the column; with more digits it is refused.
"""

import re
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from app.adapters.column_mapping import ColumnMapping
from app.domain.money import to_minor
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

DOUBLE_DIGITS = 15
"""A decimal number of at most this many digits survives the conversion to a double and back (IEEE 754)."""
MOST_TEXT = 64
"""Maximal number of characters of a number."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]{1,4})?")
_PER_MS = {"us": 1_000, "ns": 1_000_000}
_IDENTIFIERS = ("transaction_id", "customer_id", "terminal_id", "device_id", "card_token", "channel", "mcc")


class TableRows:
    """Converts the rows of one table by its column mapping."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        self._columns = [(field, mapping.column(field)) for field in Transaction.__struct_fields__]

    def transaction(self, row: dict[str, Any]) -> Transaction:
        """The transaction in a row. Raises InvalidEvent, or msgspec.ValidationError where a field breaks the contract."""
        fields = {field: row[column] for field, column in self._columns if column in row}
        if self._mapping.currency is not None:
            fields.setdefault("currency", self._mapping.currency)
        for field in _IDENTIFIERS:
            if type(fields.get(field)) is int:
                fields[field] = str(fields[field])
        for field in ("latitude", "longitude"):
            if isinstance(fields.get(field), Decimal):
                fields[field] = float(fields[field])
        if "event_time" in fields:
            fields["event_time"] = self._milliseconds(fields["event_time"])
        if "amount_minor" in fields:
            fields["amount_minor"] = self._minor(fields["amount_minor"], fields.get("currency"))
        return msgspec.convert(fields, Transaction)

    def _minor(self, value: Any, currency: object) -> int:
        amount = self._number(value)
        if self._mapping.amount_factor is not None:
            amount = _times(amount, self._mapping.amount_factor)
        try:
            # JPY has no decimals: to_minor then only checks that the amount is a whole number.
            return to_minor(amount, str(currency) if self._mapping.amount == "major" else "JPY")
        except ValueError as error:
            raise InvalidEvent(InvalidReason.OUT_OF_RANGE, f"`amount_minor`: {error}") from None

    def _number(self, value: Any) -> Decimal:
        match value:
            case bool() | None:
                raise _wrong_type("amount_minor", "a number")
            case int():
                return Decimal(value)
            case Decimal():  # a double, by its JSON text
                if _significant_digits(value) > DOUBLE_DIGITS:
                    raise InvalidEvent(
                        InvalidReason.OUT_OF_RANGE,
                        "`amount_minor` is a double of more than 15 digits, which is inexact; use "
                        "decimal.handling.mode=string",
                    )
                return value
            case str():
                scale = self._mapping.numeric_scale
                return _decimal(value) if scale is None else _unscaled(value, scale)
            case {"scale": int(scale), "value": str(text)} if not isinstance(scale, bool):
                return _unscaled(text, scale)
            case _:
                raise _wrong_type("amount_minor", "a number")

    def _milliseconds(self, value: Any) -> Any:
        unit = self._mapping.time_unit
        if isinstance(value, str):
            return _instant(value, utc_without_offset=unit == "text")
        if type(value) is not int:
            return value  # the contract refuses it
        if unit == "text":
            raise _wrong_type("event_time", "an ISO 8601 time")
        return value * 1_000 if unit == "s" else value // _PER_MS.get(unit, 1)


def _significant_digits(number: Decimal) -> int:
    return len("".join(map(str, number.as_tuple().digits)).strip("0"))


def _times(amount: Decimal, factor: float) -> Decimal:
    """The exact product: a decimal context would round it. The factor is the decimal number that the mapping says."""
    sign, digits, exponent = amount.as_tuple()
    _, factor_digits, factor_exponent = Decimal(repr(factor)).as_tuple()
    product = Decimal(_integer(digits) * _integer(factor_digits))
    return Decimal((sign, product.as_tuple().digits, int(exponent) + int(factor_exponent)))


def _integer(digits: tuple[int, ...]) -> int:
    return int("".join(map(str, digits)))


def _decimal(text: str) -> Decimal:
    if len(text) > MOST_TEXT or not _NUMBER.fullmatch(text):
        raise _wrong_type("amount_minor", "a decimal number")
    return Decimal(text)


def _unscaled(text: str, scale: int) -> Decimal:
    """The number whose unscaled value is ``text``: base64 of a big-endian two's complement integer."""
    try:
        data = b64decode(text, validate=True) if 0 < len(text) <= MOST_TEXT else b""
    except ValueError:
        data = b""
    if not data:
        raise _wrong_type("amount_minor", "the bytes of a number")
    sign, digits, _ = Decimal(int.from_bytes(data, "big", signed=True)).as_tuple()
    return Decimal((sign, digits, -scale))


def _instant(text: str, *, utc_without_offset: bool) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong_type("event_time", "an ISO 8601 time") from None
    if instant.tzinfo is None:
        if utc_without_offset:
            instant = instant.replace(tzinfo=UTC)
        else:
            raise _wrong_type("event_time", "a time with its offset")
    since = instant - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _wrong_type(field: str, expected: str) -> InvalidEvent:
    return InvalidEvent(InvalidReason.WRONG_TYPE, f"`{field}` is not {expected}")
