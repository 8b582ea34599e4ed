"""Changes of the bank's reference tables, customers and terminals, as Debezium writes them."""

from typing import Any

import msgspec

from app.errors import InvalidEvent, InvalidReason


class ReferenceChange(msgspec.Struct, frozen=True):
    """A row as it is now; ``row`` is None where it was deleted."""

    kind: str
    id: str
    lsn: int
    """Place in the database's log. Of two changes of a row the one with the larger is the newer."""
    row: dict[str, Any] | None


class _Source(msgspec.Struct):
    lsn: int


class _Envelope(msgspec.Struct):
    source: _Source
    op: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Envelope).decode


def read_change(kind: str, value: bytes | None) -> ReferenceChange | None:
    """None for a tombstone, and where no row changed. Raises InvalidEvent where it is no change event with its row."""
    if value is None:
        return None
    try:
        event = _decode(value)
    except (ValueError, RecursionError):
        raise InvalidEvent(InvalidReason.WRONG_TYPE, "the record is no change event of a table") from None
    if event.op in {"t", "m"}:
        return None
    row = event.before if event.op == "d" else event.after
    name = (row or {}).get(f"{kind}_id")
    if not isinstance(name, str | int) or isinstance(name, bool) or name == "":
        raise InvalidEvent(InvalidReason.MISSING_FIELD, f"the change event has no row with `{kind}_id`")
    return ReferenceChange(kind, str(name), event.source.lsn, None if event.op == "d" else row)
