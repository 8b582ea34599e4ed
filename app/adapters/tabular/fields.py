"""From the rows of a file to a batch of transactions: decodes each mapped column and checks the required ones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from app.adapters.column_mapping import FIELDS, HANDBOOK, REQUIRED_FIELDS, ColumnMapping
from app.adapters.tabular import column_decoders
from app.adapters.tabular.amount_columns import amounts
from app.adapters.tabular.batches import TransactionBatch, encoded
from app.adapters.tabular.column import Column, plain
from app.adapters.tabular.time_columns import event_times
from app.errors import InvalidFile, InvalidReason

_Decoder = Callable[[Column, ColumnMapping], Any]

_DECODERS: dict[str, _Decoder] = {
    "transaction_id": lambda column, _: column_decoders.texts(column, required=True),
    "customer_id": lambda column, _: column_decoders.encoded_texts(column),
    "terminal_id": lambda column, _: column_decoders.encoded_texts(column),
    "event_time": lambda column, mapping: event_times(column, mapping.time_unit),
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


def to_batch(rows: pa.RecordBatch, mapping: ColumnMapping, path: Path, first_row: int) -> TransactionBatch:
    """The rows as a batch. Raises InvalidFile at the first invalid value."""
    found = {
        field: Column(path=path, name=name, first_row=first_row, array=plain(rows.column(name)))
        for field in FIELDS
        if (name := mapping.column(field)) in rows.schema.names
    }
    fields = {
        field: _DECODERS[field](column, mapping) for field, column in found.items() if field in _DECODERS
    }
    if "currency" not in fields:
        fields["currency"] = pa.repeat(mapping.currency, rows.num_rows)
    fields["amount_minor"] = amounts(found["amount_minor"], encoded(fields["currency"]), mapping)
    _require_pairs(found)
    return TransactionBatch(first_row=first_row, **fields)


def require_columns(names: Sequence[str], mapping: ColumnMapping, path: Path) -> None:
    """Raise InvalidFile, with the remedy, unless every required field has a column or a constant."""
    for field in REQUIRED_FIELDS:
        constant = field == "currency" and mapping.currency is not None
        if mapping.column(field) not in names and not constant:
            raise InvalidFile(
                f"{path} has no column `{mapping.column(field)}` (field {field}). {_remedy(names, mapping)}",
                InvalidReason.MISSING_FIELD,
            )


def _currencies(column: Column) -> pa.Array:
    return column_decoders.codes(column, "^[A-Z]{3}$", "three capital letters", required=True)


def _remedy(names: Sequence[str], mapping: ColumnMapping) -> str:
    if mapping != HANDBOOK and set(HANDBOOK.columns.values()) & set(names):
        return "Did you mean --mapping handbook?"
    listed = ", ".join(list(names)[:20])
    return f"Its columns: {listed}. --mapping FILE.toml maps them to fields."


def _require_pairs(found: dict[str, Column]) -> None:
    """The contract accepts both coordinates or none."""
    pair = [found[field] for field in ("latitude", "longitude") if field in found]
    if len(pair) == 1:
        raise pair[0].invalid(0, "latitude and longitude come together", InvalidReason.MISSING_FIELD)
    if pair:
        differs = pc.xor(pair[0].array.is_null(), pair[1].array.is_null())
        pair[0].refuse_where(differs, "latitude and longitude come together", InvalidReason.MISSING_FIELD)
