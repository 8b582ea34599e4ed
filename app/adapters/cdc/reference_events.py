"""Decodes Debezium's change events of the bank's reference tables, customers and terminals."""

from typing import Any

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.mapped_values.text import is_unavailable, unpadded
from app.domain.bounded import Count
from app.errors import InvalidEvent, InvalidReason


class ReferenceChange(msgspec.Struct, frozen=True):
    """The current content of a row; ``row`` is None where it was deleted, and holds null for a value that Debezium does
    not have.
    """

    kind: str
    id: str
    """Without the padding of a CHAR column."""
    lsn: int
    """Position in the database's log: the change with the larger one is the newer."""
    row: dict[str, Any] | None


class _Source(msgspec.Struct):
    lsn: Count
    """Of 63 bits, as Debezium's; positions are compared as hexadecimal text of a fixed length."""


class _Envelope(msgspec.Struct):
    source: _Source
    op: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


_decode = BoundedDecoder(_Envelope).decode
MOST_ID = 255
"""Characters."""
MOST_NUMBER = 2**63


def read_change(kind: str, value: bytes | None) -> ReferenceChange | None:
    """The change in a value; None for tombstones and events without a row. Raises InvalidEvent for anything else."""
    if value is None:
        return None
    try:
        event = _decode(value)
    except (ValueError, RecursionError):
        raise InvalidEvent(InvalidReason.WRONG_TYPE, "the record is not a change event of a table") from None
    if event.op in {"t", "m"}:
        return None
    row = event.before if event.op == "d" else event.after
    row = {column: None if is_unavailable(value) else value for column, value in (row or {}).items()}
    name = _id(unpadded(row.get(f"{kind}_id")))
    if not name:
        raise InvalidEvent(InvalidReason.MISSING_FIELD, f"the change event has no row with `{kind}_id`")
    return ReferenceChange(kind, name, event.source.lsn, None if event.op == "d" else row)


def _id(value: object) -> str:
    """The id of a row, a text or a number; empty for anything else, and for one that is too long for an id."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < MOST_NUMBER else ""
    return value if isinstance(value, str) and len(value) <= MOST_ID else ""
