"""Builds the raw value of a field from the values of a row's columns, as a mapping's ``Source`` describes it."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from app.adapters.field_source import PART, Source, TokenKey
from app.adapters.mapped_values.refused import wrong_type

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN_BYTES = 16


class Absent:
    """The type of ABSENT: a row has no such column."""


ABSENT: Final = Absent()


def value_at(row: Mapping[str, object], name: str) -> object:
    """The value of a column, or at a path with dots into nested objects; ABSENT where there is none."""
    if name in row:
        return row[name]
    found: object = row
    for part in name.split(".") if "." in name else ():
        found = found.get(part, ABSENT) if isinstance(found, Mapping) else ABSENT
    return ABSENT if found is row else found


def builder(source: Source, key: TokenKey | None) -> Callable[[Sequence[object], int], object]:
    """A function from the values of ``source.columns`` and the row's number to the field's raw value, None for null.

    The function raises Refused for a value that cannot be converted.
    """

    def build(values: Sequence[object], row_number: int) -> object:
        text = _text(source, [None if value is ABSENT else value for value in values], row_number)
        text = source.default if text is None else text
        if text is None:
            return None
        return _converted(source, text, key)

    return build


def _text(source: Source, values: list[object], row_number: int) -> str | None:
    if source.row_number:
        return str(row_number)
    if source.hash_of:
        return _hash([None if value is None else as_text(value) for value in values])
    if source.value is not None:
        return source.value
    if any(value is None for value in values):
        return None
    if source.template is not None:
        texts = iter(map(as_text, values))
        return PART.sub(lambda part: next(texts).zfill(int(part[2] or 0)), source.template)
    return as_text(values[0])


def as_text(value: object) -> str:
    """The text of a raw value. Raises Refused for a list or an object."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float | Decimal | datetime):
        raise wrong_type("text or a number")
    return str(value)


def _hash(texts: list[str | None]) -> str:
    """Each text is preceded by its length: "ab" and "c" is another row than "a" and "bc"."""
    joined = "".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
    return hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()


def _converted(source: Source, text: str, key: TokenKey | None) -> object:
    if source.strip:
        text = text.translate(dict.fromkeys(map(ord, source.strip)))
    if source.case is not None:
        text = text.upper() if source.case == "upper" else text.lower()
    text = source.values.get(text, text)
    if source.token:
        text = _token(text, key)
    return text if source.origin is None else _on_clock(text, source.origin, source.step_seconds)


def _token(text: str, key: TokenKey | None) -> str:
    if key is None:
        raise AssertionError("load_mapping refuses a mapping that makes tokens without a key")
    return hmac.digest(key.secret, text.encode(), "sha256")[:_TOKEN_BYTES].hex()


def _on_clock(text: str, origin: datetime, step_seconds: float) -> int:
    """Milliseconds since the epoch, of a number of steps after the origin; exact, then cut off."""
    if not _NUMBER.fullmatch(text):
        raise wrong_type("a number of steps after the mapping's origin")
    whole, _, decimals = text.removeprefix("-").partition(".")
    steps = int(whole + decimals) * (-1 if text.startswith("-") else 1)
    step_us = round(step_seconds * 1_000_000)
    origin_us = (origin - _EPOCH) // timedelta(microseconds=1)
    scale = int(10 ** len(decimals))
    return (origin_us * scale + steps * step_us) // (1_000 * scale)
