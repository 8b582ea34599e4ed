"""Debezium's change events on the transactions topic, beside plain transactions: the envelope, or flattened.

The envelope is ``{"before": …, "after": …, "op": …}``; flattened, by ExtractNewRecordState, a value is the row with ``__op``
beside its columns. Either may lie in a wrapper ``{"schema": …, "payload": …}``. A row that was inserted, or read by a
snapshot, is a transaction. What happens to a row later is none: it is counted and changes nothing.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from app.adapters.cdc.table_rows import TableRows
from app.adapters.column_mapping import ColumnMapping
from app.adapters.serde.json_codec import decode_transaction, invalid
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

MOVED = "__debezium.oldkey"
"""Header of a create that is none: a row that was updated to another key comes as a delete and a create."""

_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_WRAPPER = {"schema", "payload"}
_BEGINNINGS = ("c", "r")
_AFTERWARDS = {"u": Ignored.UPDATE, "d": Ignored.DELETE, "t": Ignored.OTHER, "m": Ignored.OTHER}


class ChangeEvents:
    """Decodes the records of a topic that a table is streamed to."""

    def __init__(self, mapping: ColumnMapping, *, score_updates: bool = False) -> None:
        self._rows = TableRows(mapping)
        self._score_updates = score_updates

    def decode(self, record: Any) -> Transaction | Ignored:
        """A transaction, or why there is none. Raises InvalidEvent as ``decode_transaction``."""
        value = record.value
        if value is None:
            return Ignored.TOMBSTONE
        if b'"__' in value and (known := self._change(record, flat_only=True)) is not None:
            return known
        try:
            return decode_transaction(value)
        except InvalidEvent:
            if (known := self._change(record)) is None:
                raise
            return known

    def _change(self, record: Any, *, flat_only: bool = False) -> Transaction | Ignored | None:
        """None where the record is no change event."""
        try:
            change = _decode(record.value)
        except (ValueError, RecursionError, ArithmeticError):  # the last of a number that no Decimal can hold
            return None
        if change.keys() == _WRAPPER:
            if change["payload"] is None:
                return Ignored.TOMBSTONE
            change = change["payload"] if isinstance(change["payload"], dict) else {}
        if "__op" in change or "__deleted" in change:
            return self._judge(_flat_operation(change), change, record)
        if flat_only or not ("op" in change and ("after" in change or "before" in change)):
            return None
        return self._judge(change["op"], change.get("after"), record)

    def _judge(self, operation: object, row: object, record: Any) -> Transaction | Ignored:
        named = str(operation)
        if named in _BEGINNINGS and _moved(record.headers):
            named = "u"
        if named in _BEGINNINGS or (named == "u" and self._score_updates):
            return self._transaction(row, record.value)
        if named not in _AFTERWARDS:
            raise InvalidEvent(InvalidReason.OUT_OF_RANGE, "`op` is none of Debezium's")
        return _AFTERWARDS[named]

    def _transaction(self, row: object, value: bytes) -> Transaction:
        if not isinstance(row, dict):
            raise InvalidEvent(InvalidReason.MISSING_FIELD, "the change event has no row `after`")
        try:
            return self._rows.transaction(row)
        except ValueError as error:
            raise invalid(value, error) from None


def _flat_operation(change: dict[str, Any]) -> object:
    """The one that the connector adds; a row marked as deleted needs none."""
    if "__op" in change:
        return change["__op"]
    if change["__deleted"] == "true":
        return "d"
    raise InvalidEvent(
        InvalidReason.MISSING_FIELD, "`__op` is missing: set add.fields=op where the event is flattened"
    )


def _moved(headers: Iterable[tuple[str, bytes]]) -> bool:
    return any(name == MOVED for name, _ in headers)
