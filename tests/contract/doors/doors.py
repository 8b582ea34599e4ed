"""Each door as a function from a row of the table to the transaction, or to the reason of its refusal; no broker."""

import csv
import io
import json
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from fastavro import parse_schema, schemaless_writer

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from app.adapters.serde.event_encoder import own_schema
from app.adapters.serde.json_codec import convert, decode_transaction
from app.adapters.serde.protobuf_values import message_class
from app.adapters.serde.schema_readers import reader
from app.adapters.tabular.files import read_batches
from app.domain.acceptance import Acceptance
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidFile, InvalidReason
from tests.contract.doors.values import NOW_MS, ROW, Case, Missing, Number, Symbol, Twice
from tests.support.wire import debezium_avro

_TEXTS = ("terminal_id",)
REFUSED = "refused"
"""The outcome where a file as a whole is refused."""
_SCHEMA_ID = b"\0\0\0\0\1"


class CannotHold(Exception):  # no error: the door's format has no such value
    """The format of the door has no such value."""


class Record(NamedTuple):
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def row_of(case: Case) -> dict[str, Any]:
    return {name: value for name, value in (ROW | case.changes).items() if value is not Missing.MISSING}


def _json(case: Case) -> str:
    parts = []
    for name, value in row_of(case).items():
        values = list(value) if isinstance(value, Twice) else [value]
        parts += [
            f"{json.dumps(name)}: {each if isinstance(each, Number) else _dumped(each)}" for each in values
        ]
    return "{" + ", ".join(parts) + "}"


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value)
    except TypeError:
        raise CannotHold from None


def _read_file(path: Path, case: Case) -> Transaction:
    (transaction,) = (one for batch in read_batches(path, case.mapping) for one in batch.transactions())
    return transaction


def by_csv(case: Case, directory: Path) -> Transaction:
    columns: list[tuple[str, str | None]] = []
    for name, value in row_of(case).items():
        is_number = isinstance(value, Number | bool) and name in _TEXTS
        if is_number or isinstance(value, dict):  # in CSV it is the text of the number
            raise CannotHold
        values = list(value) if isinstance(value, Twice) else [value]
        columns += [(name, _cell(each)) for each in values]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow([name for name, _ in columns])
    path = directory / "f.csv"
    path.write_text(
        f"{written.getvalue()}{','.join(_quoted(text) for _, text in columns)}\n", encoding="utf-8"
    )
    return _read_file(path, case)


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(text: str | None) -> str:
    """Null is an empty cell, and empty text is two quotes."""
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def by_json_lines(case: Case, directory: Path) -> Transaction:
    path = directory / "f.jsonl"
    path.write_text(_json(case) + "\n")
    return _read_file(path, case)


def by_parquet(case: Case, directory: Path) -> Transaction:
    row = row_of(case)
    names, arrays = [], []
    for name, value in row.items():
        for each in value if isinstance(value, Twice) else [value]:
            names.append(name)
            arrays.append(_array(each))
    path = directory / "f.parquet"
    pq.write_table(pa.Table.from_arrays(arrays, names=names), path)
    return _read_file(path, case)


def _array(value: Any) -> pa.Array:
    try:
        return pa.array([_number(value) if isinstance(value, Number) else value])
    except (pa.ArrowInvalid, OverflowError):
        raise CannotHold from None


def _number(text: Number) -> int | float:
    """The integer, or the double that a program reads from the text, if that is the same number."""
    if text.removeprefix("-").isdigit():
        return int(text)
    value = float(text)
    if Decimal(repr(value)) != Decimal(text):
        raise CannotHold
    return value


def by_topic(case: Case, _: Path) -> Transaction:
    return decode_transaction(_json(case).encode())


def by_envelope(case: Case, _: Path) -> Transaction:
    return _changed('{"op": "c", "after": ' + _json(case) + "}", case)


def by_flattened(case: Case, _: Path) -> Transaction:
    return _changed(_json(case)[:-1] + ', "__op": "c"}', case)


def _changed(value: str, case: Case) -> Transaction:
    found = ChangeEvents(case.mapping).decode(Record(value.encode()))
    assert not isinstance(found, Ignored)
    return found


def by_avro_envelope(case: Case, _: Path) -> Transaction:
    columns, row = {}, {}
    for name, value in row_of(case).items():
        columns[name] = _column_type(name, value, case.mapping.time_unit)
        row[name] = _number(value) if isinstance(value, Number) else value
        if isinstance(value, Decimal):
            row[name] = debezium_avro.unscaled(value)
    try:
        schema, value = debezium_avro.framed(
            debezium_avro.envelope_schema(columns), debezium_avro.envelope("c", row)
        )
    except (ValueError, OverflowError):
        raise CannotHold from None
    decode = ChangeEvents(case.mapping).decoder(schema)
    assert decode is not None
    found: Transaction = decode(value, Record(b""))
    return found


def _column_type(name: str, value: Any, time_unit: str) -> Any:
    if isinstance(value, Decimal):
        return debezium_avro.numeric(-int(value.as_tuple().exponent))
    if isinstance(value, dict):
        return {
            "type": "record",
            "name": "Nested",
            "fields": [{"name": each, "type": "long"} for each in value],
        }
    kind = _avro_type(name, value)
    if (name, kind) == ("event_time", "long"):
        units = {"us": debezium_avro.MICRO_TIMESTAMP, "ns": debezium_avro.NANO_TIMESTAMP}
        return units.get(time_unit, debezium_avro.TIMESTAMP)
    return kind


def by_avro(case: Case, _: Path) -> Transaction:
    row = row_of(case)
    fields = [{"name": name, "type": _avro_type(name, value)} for name, value in row.items()]
    schema = {"type": "record", "name": "Transaction", "namespace": "com.bank", "fields": fields}
    content = {name: _number(value) if isinstance(value, Number) else value for name, value in row.items()}
    written = io.BytesIO()
    try:
        schemaless_writer(written, parse_schema(json.loads(json.dumps(schema))), content)
    except (ValueError, OverflowError):
        raise CannotHold from None
    read = reader(WriterSchema(AVRO, json.dumps(schema)), Transaction)
    return convert(read(Framed(_SCHEMA_ID, None, written.getvalue())), Transaction)


def _avro_type(name: str, value: Any) -> Any:
    if isinstance(value, Symbol):
        return {"type": "enum", "name": "Symbols", "symbols": ["USD", str(value)]}
    if isinstance(value, Number):
        value = _number(value)
    kinds = {bool: "boolean", int: "long", float: "double", str: "string"}
    if value is None:
        return ["null", "long" if name in ("event_time", "amount_minor") else "string"]
    if type(value) not in kinds or (isinstance(value, int) and abs(value) >= 2**63):
        raise CannotHold
    return kinds[type(value)]


def by_protobuf(case: Case, _: Path) -> Transaction:
    kind = message_class(Transaction)
    content = {name: value for name, value in row_of(case).items() if value is not None}
    if any(isinstance(value, Symbol) for value in content.values()):
        raise CannotHold
    content = {
        name: _number(value) if isinstance(value, Number) else value for name, value in content.items()
    }
    if any(isinstance(value, bool) for value in content.values()):
        raise CannotHold
    try:
        payload = kind(**content).SerializeToString()
    except (TypeError, ValueError):
        raise CannotHold from None
    read = reader(own_schema(Transaction, "protobuf"), Transaction)
    return convert(read(Framed(_SCHEMA_ID, None, b"\0" + payload)), Transaction)


MAPPED: dict[str, Callable[[Case, Path], Transaction]] = {
    "CSV": by_csv,
    "JSON lines": by_json_lines,
    "Parquet": by_parquet,
    "Debezium": by_envelope,
    "flattened": by_flattened,
    "Debezium in Avro": by_avro_envelope,
}
"""Doors that read by a column mapping."""
CONTRACT_ONLY: dict[str, Callable[[Case, Path], Transaction]] = {
    "topic": by_topic,
    "Avro": by_avro,
    "Protobuf": by_protobuf,
}
"""Doors whose records have the fields and types of the contract."""


def outcome(
    door: Callable[[Case, Path], Transaction], case: Case
) -> Transaction | InvalidReason | str | None:
    """What comes out; None where the format cannot hold the value, text where the file as a whole is refused."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            transaction = door(case, Path(directory))
            Acceptance().check(transaction, key=None, reference_ms=NOW_MS)
        except CannotHold:
            return None
        except InvalidEvent as error:
            return error.reason
        except InvalidFile as error:
            return error.reason or REFUSED
    return transaction
