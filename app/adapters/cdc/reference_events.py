"""Decodes Debezium's change events of the bank's reference tables, customers and terminals."""

from typing import Any

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.mapped_values.text import is_unavailable, unpadded
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
    lsn: int


class _Envelope(msgspec.Struct):
    source: _Source
    op: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


_decode = BoundedDecoder(_Envelope).decode


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
    name = unpadded(row.get(f"{kind}_id"))
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        raise InvalidEvent(InvalidReason.MISSING_FIELD, f"the change event has no row with `{kind}_id`")
    return ReferenceChange(kind, str(name), event.source.lsn, None if event.op == "d" else row)
