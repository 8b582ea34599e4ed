"""Text fields of a row: padding of CHAR columns, numbers as ids, and Debezium's placeholder for values that it does not have."""

from base64 import b64encode
from typing import Any

from app.adapters.mapped_values.amounts import unscaled
from app.adapters.mapped_values.refused import Refused
from app.errors import InvalidReason

TEXT_FIELDS = (
    "transaction_id",
    "customer_id",
    "terminal_id",
    "currency",
    "channel",
    "mcc",
    "country",
    "device_id",
    "card_token",
)
PAD = " "
"""What CHAR(n) columns are filled up with. SQL compares their values without it."""

_PLACEHOLDER = "__debezium_unavailable_value"
_PLACEHOLDERS = {
    _PLACEHOLDER,
    b64encode(_PLACEHOLDER.encode()).decode(),  # of a column of bytes
    _PLACEHOLDER.encode().hex(),  # the same with binary.handling.mode=hex
}


def is_unavailable(value: object) -> bool:
    """Whether Debezium had no value: a large one that an update did not change, where the table's replica identity is not
    FULL. Columns of arrays and maps hold the placeholder as their only item.
    """
    if isinstance(value, list | dict):
        return len(value) == 1 and is_unavailable(next(iter(value)))
    return isinstance(value, str) and value in _PLACEHOLDERS


def refuse_unavailable(value: object) -> None:
    """Raise Refused for the placeholder. Null would be a guess: the column has a value."""
    if is_unavailable(value):
        raise Refused(
            InvalidReason.MISSING_FIELD,
            "is Debezium's placeholder for a value that it does not have; set REPLICA IDENTITY FULL for the table",
        )


def unpadded(value: object) -> object:
    return value.rstrip(PAD) if isinstance(value, str) else value


def number_as_text(value: Any) -> Any:
    """An id or code that its column holds as an integer, or as a NUMERIC without decimals that arrives as bytes; other
    values unchanged. Raises Refused for bytes that are no number.
    """
    if type(value) is int:
        return str(value)
    match value:
        case {"scale": int(scale), "value": str(text)} if not isinstance(scale, bool):
            number = unscaled(text, scale)
            return f"{number:f}" if number.as_tuple().exponent == 0 else value
        case _:
            return value
