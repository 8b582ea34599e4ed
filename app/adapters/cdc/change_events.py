"""Decodes Debezium's change events on the transactions topic, besides plain transactions.

An event is an envelope ``{"before": …, "after": …, "op": …}``, or flattened by ExtractNewRecordState: the row with ``__op``
beside its columns. Either may be wrapped in ``{"schema": …, "payload": …}``. A row that was inserted or read by a snapshot
is a transaction. Updates, deletes and other events are counted and ignored.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.rows import MappedRows
from app.adapters.serde.json_codec import decode_transaction, invalid
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

MOVED = "__debezium.oldkey"
"""Header of a create event that is an update: a change of the key arrives as a delete and a create."""

_decode = BoundedDecoder(dict[str, Any], Decimal).decode
_WRAPPER = {"schema", "payload"}
_INSERTS = ("c", "r")
_IGNORED = {"u": Ignored.UPDATE, "d": Ignored.DELETE, "t": Ignored.OTHER, "m": Ignored.OTHER}


class ChangeEvents:
    """Decodes a topic that a table is streamed to. With ``score_updates`` an updated row is a transaction, too."""

    def __init__(self, mapping: ColumnMapping, *, score_updates: bool = False) -> None:
        self._rows = MappedRows(mapping)
        self._score_updates = score_updates

    def decode(self, record: Any) -> Transaction | Ignored:
        """A transaction, or why the record is ignored. Raises InvalidEvent as ``decode_transaction``."""
        value = record.value
        if value is None:
            return Ignored.TOMBSTONE
        # A flattened row with the contract's own column names would also decode as a plain transaction, deletes included:
        # it must be recognised first. Any other change event fails as a plain transaction, which is the faster try.
        if b'"__' in value and (decoded := self._change(record, flat_only=True)) is not None:
            return decoded
        try:
            return decode_transaction(value)
        except InvalidEvent:
            if (decoded := self._change(record)) is None:
                raise
            return decoded

    def _change(self, record: Any, *, flat_only: bool = False) -> Transaction | Ignored | None:
        """As ``decode``; None where the record is not a change event."""
        try:
            change = _decode(record.value)
        except (
            ValueError,
            RecursionError,
            ArithmeticError,
        ):  # ArithmeticError: a number too large for Decimal
            return None
        if change.keys() == _WRAPPER:
            if change["payload"] is None:
                return Ignored.TOMBSTONE
            change = change["payload"] if isinstance(change["payload"], dict) else {}
        if "__op" in change or "__deleted" in change:
            return self._apply(_flat_operation(change), change, record)
        if flat_only or not ("op" in change and ("after" in change or "before" in change)):
            return None
        return self._apply(change["op"], change.get("after"), record)

    def _apply(self, operation: object, row: object, record: Any) -> Transaction | Ignored:
        named = str(operation)
        if named in _INSERTS and _has_moved(record.headers):
            named = "u"
        if named in _INSERTS or (named == "u" and self._score_updates):
            return self._transaction(row, record.value)
        if named not in _IGNORED:
            raise InvalidEvent(InvalidReason.OUT_OF_RANGE, "`op` is not an operation of Debezium")
        return _IGNORED[named]

    def _transaction(self, row: object, value: bytes) -> Transaction:
        if not isinstance(row, dict):
            raise InvalidEvent(InvalidReason.MISSING_FIELD, "the change event has no row `after`")
        try:
            return self._rows.transaction(row)
        except ValueError as error:
            raise invalid(value, error) from None


def _flat_operation(change: dict[str, Any]) -> object:
    """The operation that the connector adds to a flattened row; a row marked as deleted needs none."""
    if "__op" in change:
        return change["__op"]
    if change["__deleted"] == "true":
        return "d"
    raise InvalidEvent(
        InvalidReason.MISSING_FIELD,
        "`__op` is missing: set add.fields=op in the connector's ExtractNewRecordState",
    )


def _has_moved(headers: Iterable[tuple[str, bytes]]) -> bool:
    return any(name == MOVED for name, _ in headers)
