"""From the rows of a file to a batch of transactions: decodes each mapped column and checks the required ones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.column_mapping import KNOWN_LAYOUTS, REQUIRED_FIELDS, ColumnMapping, layout_of
from app.adapters.tabular.batches import TransactionBatch, encoded
from app.adapters.tabular.column import Column
from app.adapters.tabular.decoding import column_decoders
from app.adapters.tabular.decoding.amount_columns import amounts, negative
from app.adapters.tabular.decoding.built_columns import raw_columns
from app.adapters.tabular.decoding.declared_columns import declared_column
from app.adapters.tabular.decoding.time_columns import event_times
from app.errors import InvalidFile, InvalidReason

_Decoder = Callable[[Column, ColumnMapping], Any]

_DECODERS: dict[str, _Decoder] = {
    "transaction_id": lambda column, _: column_decoders.texts(column, required=True),
    "customer_id": lambda column, _: column_decoders.encoded_texts(column),
    "terminal_id": lambda column, _: column_decoders.encoded_texts(column),
    "event_time": lambda column, mapping: event_times(column, mapping.unit_of_times),
    "currency": lambda column, _: _currencies(column),
    "channel": lambda column, _: column_decoders.texts(column, required=False),
    "mcc": lambda column, _: column_decoders.codes(column, "^[0-9]{4}$", "four digits", required=False),
    "country": lambda column, _: column_decoders.codes(
        column, "^[A-Z]{2}$", "two capital letters", required=False
    ),
    "device_id": lambda column, _: column_decoders.texts(column, required=False),
    "card_token": lambda column, _: column_decoders.texts(column, required=False),
    "latitude": lambda column, _: column_decoders.coordinates(column, 90.0),
    "longitude": lambda column, _: column_decoders.coordinates(column, 180.0),
    "is_fraud": lambda column, _: column_decoders.fraud_flags(column),
    "fraud_pattern": column_decoders.fraud_patterns,
}


def to_batch(
    rows: pa.RecordBatch, mapping: ColumnMapping, path: Path, first_row: int, skipped_before: int = 0
) -> TransactionBatch:
    """The rows as a batch. Raises InvalidFile at the first invalid value.

    ``skipped_before`` is the number of earlier rows that the mapping left out.
    """
    found, kept = raw_columns(rows, mapping, path, first_row), None
    if mapping.refunds == "skip":
        kept = np.flatnonzero(~negative(found["amount_minor"].array))
        found = {field: column.taken(kept) for field, column in found.items()}
    count = rows.num_rows if kept is None else len(kept)
    fields = {
        field: _DECODERS[field](column, mapping) for field, column in found.items() if field in _DECODERS
    }
    declared = {
        field.name: declared_column(found[field.name], field)
        for field in mapping.declared
        if field.name in found
    }
    if "currency" not in fields:
        fields["currency"] = pa.repeat(mapping.currency, count)
    fields["amount_minor"] = amounts(found["amount_minor"], encoded(fields["currency"]), mapping)
    _require_pairs(found)
    numbers = None if kept is None else first_row + kept
    skipped = rows.num_rows - count
    return TransactionBatch(
        first_row=first_row - skipped_before, rows=numbers, skipped=skipped, declared=declared, **fields
    )


def require_columns(names: Sequence[str], mapping: ColumnMapping, path: Path) -> None:
    """Raise InvalidFile, with the remedy, unless every required field has a column or a constant."""
    for field in (*REQUIRED_FIELDS, *(field.name for field in mapping.declared if field.required)):
        constant = field == "currency" and mapping.currency is not None
        source = mapping.sources.get(field)
        if constant or (source is not None and source.default is not None):
            continue
        for column in mapping.inputs(field):
            if column not in names:
                raise InvalidFile(
                    f"{path} has no column `{column}` (field {field}). {_remedy(names, mapping)}",
                    InvalidReason.MISSING_FIELD,
                )


def _currencies(column: Column) -> pa.Array:
    return column_decoders.codes(column, "^[A-Z]{3}$", "three capital letters", required=True)


def _remedy(names: Sequence[str], mapping: ColumnMapping) -> str:
    likely = {name: _likeness(layout_of(name), names) for name in KNOWN_LAYOUTS}
    name = max(likely, key=lambda each: likely[each])
    if likely[name] and mapping != layout_of(name):
        return f"Did you mean --mapping {name}?"
    listed = ", ".join(list(names)[:20])
    return f"Its columns: {listed}. --mapping FILE.toml maps them to fields."


def _likeness(layout: ColumnMapping, names: Sequence[str]) -> int:
    """How many of a layout's columns a file has; 0 where it lacks one of the required fields."""
    columns = {field: layout.inputs(field) for field in layout.columns}
    if any(column not in names for field in REQUIRED_FIELDS for column in columns.get(field, ())):
        return 0
    return sum(column in names for field in columns for column in columns[field])


def _require_pairs(found: dict[str, Column]) -> None:
    """The contract accepts both coordinates or none."""
    pair = [found[field] for field in ("latitude", "longitude") if field in found]
    if len(pair) == 1:
        raise pair[0].invalid(0, "latitude and longitude come together", InvalidReason.MISSING_FIELD)
    if pair:
        differs = pc.xor(pair[0].array.is_null(), pair[1].array.is_null())
        pair[0].refuse_where(differs, "latitude and longitude come together", InvalidReason.MISSING_FIELD)
