"""Converts a row, as Debezium writes it, to a transaction by a column mapping."""

from decimal import Decimal
from typing import Any

import msgspec

from app.adapters.column_mapping import ColumnMapping
from app.adapters.mapped_values.amounts import minor_units
from app.adapters.mapped_values.refused import Refused
from app.adapters.mapped_values.times import milliseconds
from app.domain.transaction import Transaction
from app.errors import InvalidEvent

_IDENTIFIERS = ("transaction_id", "customer_id", "terminal_id", "device_id", "card_token", "channel", "mcc")


class MappedRows:
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
        self._convert(fields)
        return msgspec.convert(fields, Transaction)

    def _convert(self, fields: dict[str, Any]) -> None:
        mapping, field = self._mapping, "event_time"
        try:
            if field in fields:
                fields[field] = milliseconds(fields[field], mapping.time_unit)
            if (field := "amount_minor") in fields:
                currency = str(fields.get("currency"))
                fields[field] = minor_units(fields[field], currency, mapping, mapping.numeric_scale)
        except Refused as refused:
            raise InvalidEvent(refused.reason, f"`{field}` {refused.what}") from None
