"""Converts a row, as Debezium writes it, to a transaction by a column mapping."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from app.adapters.column_mapping import ColumnMapping, TimeUnit
from app.adapters.field_source import Source
from app.adapters.mapped_values.amounts import minor_units
from app.adapters.mapped_values.building import ABSENT, builder, value_at
from app.adapters.mapped_values.refused import Refused
from app.adapters.mapped_values.text import TEXT_FIELDS, number_as_text, refuse_unavailable, unpadded
from app.adapters.mapped_values.times import milliseconds
from app.catalog.transaction_type import transaction_type
from app.domain.transaction import Transaction
from app.errors import InvalidEvent
from app.expressions.names import TEXTUAL, Kind

_IDENTIFIERS = tuple(field for field in TEXT_FIELDS if field not in ("currency", "country"))
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


class MappedRows:
    """Converts the rows of one table by its column mapping."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        self.event = transaction_type(mapping.declared)
        kinds = {field.name: field.kind for field in mapping.declared}
        texts = [name for name, kind in kinds.items() if kind in TEXTUAL]
        self._identifiers = (*_IDENTIFIERS, *texts)
        self._numbers = ("latitude", "longitude", *(n for n, kind in kinds.items() if kind is Kind.NUMBER))
        declared_times: dict[str, TimeUnit] = {
            name: "ms" for name, kind in kinds.items() if kind is Kind.TIME
        }
        self._units: dict[str, TimeUnit] = {"decide_by": mapping.unit_of_times, **declared_times}
        self._unpadded = frozenset((*TEXT_FIELDS, *texts) if mapping.padding == "strip" else ())
        given = {field: mapping.columns.get(field, field) for field in self.event.__struct_fields__}
        self._columns = [(field, column) for field, column in given.items() if isinstance(column, str)]
        self._built = [
            (field, source.columns, builder(source, mapping.key))
            for field, source in given.items()
            if isinstance(source, Source)
        ]

    def transaction(self, row: dict[str, Any]) -> Transaction:
        """The transaction in a row. Raises InvalidEvent, or msgspec.ValidationError where a field breaks the contract."""
        fields = {
            field: value
            for field, column in self._columns
            if (value := self._raw(row, field, column)) is not ABSENT
        }
        self._build(fields, row)
        if self._mapping.currency is not None:
            fields.setdefault("currency", self._mapping.currency)
        for field in self._identifiers:
            if isinstance(fields.get(field), int | dict):
                fields[field] = _of_field(field, number_as_text, fields[field])
        for field in self._numbers:
            if field in fields:
                fields[field] = _degrees(fields[field])
        self._convert(fields)
        return msgspec.convert(fields, self.event)

    def _raw(self, row: dict[str, Any], field: str, column: str) -> Any:
        value = value_at(row, column)
        if isinstance(value, str | list | dict):
            _of_field(field, refuse_unavailable, value)
            if field in self._unpadded:
                return unpadded(value)
        return value

    def _build(self, fields: dict[str, Any], row: dict[str, Any]) -> None:
        for field, columns, build in self._built:
            values = [self._raw(row, field, column) for column in columns]
            built = _of_field(field, build, values, 0)
            if built is not None or any(value is not ABSENT for value in values):
                fields[field] = built

    def _convert(self, fields: dict[str, Any]) -> None:
        mapping, field = self._mapping, "event_time"
        try:
            if field in fields:
                fields[field] = milliseconds(fields[field], mapping.unit_of_times)
            if (field := "amount_minor") in fields:
                currency = str(fields.get("currency"))
                fields[field] = minor_units(fields[field], currency, mapping, mapping.numeric_scale)
            for field, unit in self._units.items():
                if fields.get(field) is not None:
                    fields[field] = milliseconds(fields[field], unit)
        except Refused as refused:
            raise _invalid(field, refused) from None


def _of_field(field: str, convert: Callable[..., Any], *values: Any) -> Any:
    try:
        return convert(*values)
    except Refused as refused:
        raise _invalid(field, refused) from None


def _invalid(field: str, refused: Refused) -> InvalidEvent:
    return InvalidEvent(refused.reason, f"`{field}` {refused.what}")


def _degrees(value: Any) -> Any:
    """A NUMERIC column arrives as text or, from a double, as Decimal; the contract refuses anything but a number."""
    is_number = isinstance(value, Decimal) or (isinstance(value, str) and _NUMBER.fullmatch(value))
    return float(value) if is_number else value
