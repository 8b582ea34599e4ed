"""Decodes Debezium's change events on the transactions topic, besides plain transactions.

An event is an envelope ``{"before": …, "after": …, "op": …}``, or flattened by ExtractNewRecordState: the row with ``__op``
beside its columns. In JSON either may be wrapped in ``{"schema": …, "payload": …}``; with a schema id either may be Avro or
JSON. A row that was inserted or read by a snapshot is a transaction. Updates, deletes and other events are counted and ignored.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.rows import MappedRows
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, JSON, WriterSchema
from app.adapters.serde.json_codec import invalid, transaction_decoder
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

if TYPE_CHECKING:
    from app.adapters.serde.event_decoder import FramedDecoder

MOVED = "__debezium.oldkey"
"""Header of a create event that is an update: a change of the key arrives as a delete and a create."""

Headers = Iterable[tuple[str, bytes]]

_decode = BoundedDecoder(dict[str, Any], Decimal).decode
_WRAPPER = {"schema", "payload"}
_FLAT = ("__op", "__deleted")
_INSERTS = ("c", "r")
_IGNORED = {"u": Ignored.UPDATE, "d": Ignored.DELETE, "t": Ignored.OTHER, "m": Ignored.OTHER}


class _Payload(NamedTuple):
    """A record's value behind its schema id."""

    value: bytes
    headers: Headers


class ChangeEvents:
    """Decodes a topic that a table is streamed to. With ``score_updates`` an updated row is a transaction, too."""

    def __init__(self, mapping: ColumnMapping, *, score_updates: bool = False) -> None:
        self._rows = MappedRows(mapping)
        self._decode = transaction_decoder(self._rows.event)
        self._score_updates = score_updates

    def decode(self, record: Any) -> Transaction | Ignored:
        """A transaction, or why the record is ignored. Raises InvalidEvent as ``decode_transaction``."""
        value = record.value
        if value is None:
            return Ignored.TOMBSTONE
        # A flattened row with the contract's own column names would also decode as a plain transaction, deletes included:
        # it must be recognised first. Any other change event fails as a plain transaction, which is the faster try.
        if b'"__' in value and (decoded := self._change_in(record, flat_only=True)) is not None:
            return decoded
        try:
            return self._decode(value)
        except InvalidEvent:
            if (decoded := self._change_in(record)) is None:
                raise
            return decoded

    def decoder(self, schema: WriterSchema) -> "FramedDecoder | None":
        """See ChangeSchemas: a table's rows in Avro, or JSON with a schema id."""
        if schema.kind == JSON:
            return lambda value, record: self.decode(_Payload(value.payload, record.headers))
        return self._avro_decoder(schema) if schema.kind == AVRO else None

    def _avro_decoder(self, schema: WriterSchema) -> "FramedDecoder | None":
        from app.adapters.cdc import avro_rows  # noqa: PLC0415  # imports an optional extra
        from app.adapters.serde import avro_values  # noqa: PLC0415  # as above

        try:
            parsed = avro_values.parse(schema)
            if not _is_change(avro_rows.field_names(parsed)):
                return None
            read, convert = avro_values.record_reader(parsed.schema), avro_rows.as_json(parsed)
        except InvalidEvent as error:
            return _refusing(error)

        def decode(value: Framed, record: Any) -> Transaction | Ignored:
            return self._change(convert(read(value)), record.headers)

        return decode

    def _change_in(self, record: Any, *, flat_only: bool = False) -> Transaction | Ignored | None:
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
        known = _is_flat if flat_only else _is_change
        return self._change(change, record.headers) if known(change.keys()) else None

    def _change(self, change: dict[str, Any], headers: Headers) -> Transaction | Ignored:
        if _is_flat(change.keys()):
            return self._apply(_flat_operation(change), change, headers)
        return self._apply(change["op"], change.get("after"), headers)

    def _apply(self, operation: object, row: object, headers: Headers) -> Transaction | Ignored:
        named = str(operation)
        if named in _INSERTS and _has_moved(headers):
            named = "u"
        if named in _INSERTS or (named == "u" and self._score_updates):
            return self._transaction(row)
        if named not in _IGNORED:
            raise InvalidEvent(InvalidReason.OUT_OF_RANGE, "`op` is not an operation of Debezium")
        return _IGNORED[named]

    def _transaction(self, row: object) -> Transaction:
        if not isinstance(row, dict):
            raise InvalidEvent(InvalidReason.MISSING_FIELD, "the change event has no row `after`")
        try:
            return self._rows.transaction(row)
        except ValueError as error:
            raise invalid(b"{}", error) from None


def _is_flat(names: Collection[str]) -> bool:
    """Whether a record with these fields is a flattened row."""
    return any(name in names for name in _FLAT)


def _is_change(names: Collection[str]) -> bool:
    """Whether a record with these fields is an envelope or a flattened row."""
    return _is_flat(names) or ("op" in names and ("after" in names or "before" in names))


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


def _has_moved(headers: Headers) -> bool:
    return any(name == MOVED for name, _ in headers)


def _refusing(error: InvalidEvent) -> "FramedDecoder":
    def refuse(_: Framed, __: Any) -> Transaction | Ignored:
        raise InvalidEvent(error.reason, error.detail)

    return refuse
