"""Milliseconds since the epoch from integers of a unit and from ISO 8601 text; finer parts are cut off."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from app.adapters.column_mapping import TimeUnit
from app.adapters.mapped_values.refused import missing, wrong_type

LOCAL_TIME = (
    r"([1-9][0-9]{3}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?)?"
)
"""Date, hour and minute, second, fraction. Not what ``fromisoformat`` accepts, which differs by Python version."""
OFFSET = r"(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"

_TICKS_PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}
_iso = re.compile(f"{LOCAL_TIME}{OFFSET}?")
_integer = re.compile(r"-?[0-9]{1,30}")
_decimal = re.compile(r"-?[0-9]{1,30}\.[0-9]{1,30}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(value: object, unit: TimeUnit) -> int:
    """The time of a raw value under a mapping's ``time_unit``. Raises Refused.

    Text with an offset is read under every unit; text without one is UTC under ``text`` only. Seconds may have decimals.
    """
    if value is None:
        raise missing()
    if isinstance(value, str):
        return _of_text(value, unit)
    if unit == "s" and isinstance(value, float | Decimal) and (number := Decimal(str(value))).is_finite():
        return _floor(number)
    if type(value) is not int:
        raise wrong_type("an integer of the mapping's time_unit, or a time in ISO 8601")
    if unit == "text":
        raise wrong_type(
            "an ISO 8601 time", '; give a mapping with the time_unit of its numbers: "s", "ms", "us" or "ns"'
        )
    return value * 1_000 if unit == "s" else value // _TICKS_PER_MS[unit]


def _of_text(text: str, unit: TimeUnit) -> int:
    if unit != "text" and _integer.fullmatch(text):
        return milliseconds(int(text), unit)
    if unit == "s" and _decimal.fullmatch(text):
        return _floor(Decimal(text))
    if not (found := _iso.fullmatch(text)):
        raise wrong_type("an ISO 8601 time")
    day, minute, second, fraction, offset = found.groups()
    if offset is None and unit != "text":
        raise wrong_type(
            "a time with its offset", '; where it is UTC, give a mapping with time_unit = "text"'
        )
    try:
        instant = datetime.fromisoformat(f"{day} {minute or '00:00'}:{second or '00'}")
    except ValueError:
        raise wrong_type("an ISO 8601 time") from None
    since = instant.replace(tzinfo=UTC) - _EPOCH - _offset(offset)
    return since.days * 86_400_000 + since.seconds * 1_000 + int(((fraction or "") + "000")[:3])


def _offset(text: str | None) -> timedelta:
    if text is None or text == "Z":
        return timedelta()
    return timedelta(hours=int(text[1:3]), minutes=int(text[-2:])) * (-1 if text[0] == "-" else 1)


def _floor(seconds: Decimal) -> int:
    sign, digits, exponent = seconds.as_tuple()
    unscaled, shift = int("".join(map(str, digits))) * (-1 if sign else 1), int(exponent) + 3
    if abs(shift) > 40:
        raise wrong_type("a time in seconds")
    return int(unscaled * 10**shift if shift >= 0 else unscaled // 10**-shift)
