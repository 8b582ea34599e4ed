"""Change events in Avro: the same transaction, or the same reason, as the JSON of the same event."""

import json
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.change_events import MOVED, ChangeEvents
from app.adapters.cdc.transaction_decoder import decode_plain
from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.schema_registry.schema_cache import SchemaCache
from app.adapters.schema_registry.writer_schema import AVRO, JSON, WriterSchema
from app.adapters.serde.event_decoder import EventDecoder
from app.domain.ignored import Ignored
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from tests.support.wire import debezium_avro as debezium
from tests.support.wire.transaction import REQUIRED_FIELDS

ID = b"\0\0\0\0\7"
ROW = REQUIRED_FIELDS
COLUMNS: dict[str, Any] = {name: "long" if type(value) is int else "string" for name, value in ROW.items()}
MAJOR = ColumnMapping(amount="major")


class Record(NamedTuple):
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Registry:
    """Knows one schema."""

    def __init__(self, schema: WriterSchema) -> None:
        self._schema = schema

    def schema(self, _: bytes) -> WriterSchema:
        return self._schema


def decoder(schema: WriterSchema, mapping: ColumnMapping | None = CONTRACT, **options: Any) -> EventDecoder:
    changes = None if mapping is None else ChangeEvents(mapping, **options)
    book = SchemaCache(Registry(schema))
    book.learn(ID)
    return EventDecoder(Transaction, changes.decode if changes else decode_plain, book, changes=changes)


def outcome(decode: Any, record: Record) -> object:
    try:
        return decode(record)
    except InvalidEvent as error:
        return error.reason


def read(
    schema: Any, value: Any, mapping: ColumnMapping | None = CONTRACT, headers: Any = (), **options: Any
) -> object:
    record = Record(ID + debezium.written(schema, value), headers)
    return outcome(decoder(WriterSchema(AVRO, json.dumps(schema)), mapping, **options), record)


def read_row(
    columns: Mapping[str, Any], row: Mapping[str, Any], mapping: ColumnMapping = CONTRACT, op: str = "c"
) -> object:
    return read(debezium.envelope_schema(columns), debezium.envelope(op, row), mapping, score_updates=True)


def read_json(
    row: Mapping[str, Any], mapping: ColumnMapping = CONTRACT, op: str = "c", **options: Any
) -> object:
    value = json.dumps(debezium.envelope(op, row)).encode()
    return outcome(ChangeEvents(mapping, **options).decode, Record(value))


def amount(kind: Any, value: Any, mapping: ColumnMapping = MAJOR) -> object:
    found = read_row(COLUMNS | {"amount_minor": kind}, ROW | {"amount_minor": value}, mapping)
    return found.amount_minor if isinstance(found, Transaction) else found


@pytest.mark.parametrize("op", ["c", "r", "u", "d", "t", "m", "x"])
@pytest.mark.parametrize("headers", [(), ((MOVED, b"c0"),)], ids=["", "moved"])
@pytest.mark.parametrize("score_updates", [False, True])
@pytest.mark.parametrize("after", [ROW, None], ids=["row", "no row"])
def test_every_operation_means_the_same(op: str, headers: Any, score_updates: bool, after: Any) -> None:
    event = debezium.envelope(op, after, None if op in "cr" else ROW)
    in_json = ChangeEvents(CONTRACT, score_updates=score_updates).decode
    expected = outcome(in_json, Record(json.dumps(event).encode(), headers))

    assert expected == read(
        debezium.envelope_schema(COLUMNS), event, headers=headers, score_updates=score_updates
    )


@pytest.mark.parametrize(("op", "deleted"), [("c", "false"), ("u", "false"), ("d", "true"), (None, "true")])
def test_a_flattened_row_means_the_same(op: str | None, deleted: str) -> None:
    row = ROW | {"__op": op, "__deleted": deleted}
    expected = outcome(ChangeEvents(CONTRACT).decode, Record(json.dumps(row).encode()))

    assert expected == read(debezium.flat_schema(COLUMNS), row)


def test_a_tombstone_is_ignored_wherever_its_schema_id_would_be() -> None:
    decode = decoder(WriterSchema(AVRO, json.dumps(debezium.envelope_schema(COLUMNS))))

    assert [Ignored.TOMBSTONE] * 2 == [
        decode(Record(None)),
        decode(Record(None, (("__value_schema_id", ID),))),
    ]
    assert [] == decode.missing([Record(None, (("__value_schema_id", b"\0\0\0\0\x09"),))])


CELLS = st.one_of(
    st.tuples(st.just("string"), st.text(max_size=8) | st.sampled_from(["EUR", "12.50", "c1  ", "NaN"])),
    st.tuples(st.just("long"), st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2_000_000_000_000)),
    st.tuples(st.just("double"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just(["null", "string"]), st.none() | st.text(max_size=4)),
    st.tuples(st.just({"type": "array", "items": "string"}), st.lists(st.text(max_size=3), max_size=2)),
    st.tuples(st.just({"type": "map", "values": "long"}), st.dictionaries(st.text(max_size=3), st.integers(0, 9))),
)  # fmt: skip
NAMES = st.sampled_from([*Transaction.__struct_fields__])
MAPPINGS = st.sampled_from([CONTRACT, MAJOR, ColumnMapping(time_unit="us"), ColumnMapping(padding="keep")])


@given(st.dictionaries(NAMES, CELLS, max_size=4), MAPPINGS)
def test_any_row_is_read_like_its_json(changes: dict[str, tuple[Any, Any]], mapping: ColumnMapping) -> None:
    columns = COLUMNS | {name: kind for name, (kind, _) in changes.items()}
    row = ROW | {name: value for name, (_, value) in changes.items()}

    assert read_json(row, mapping) == read_row(columns, row, mapping)


@given(st.decimals(-(10**13), 10**13, places=3), st.integers(3, 6))
def test_a_numeric_column_is_read_by_the_scale_of_its_schema(number: Decimal, scale: int) -> None:
    """As the same bytes in JSON are with that scale in the mapping; a scale in the mapping has no effect here."""
    data = debezium.unscaled(Decimal(number).quantize(Decimal(1).scaleb(-scale)))
    row = ROW | {"currency": "KWD", "amount_minor": b64encode(data).decode()}
    expected = read_json(row, ColumnMapping(amount="major", numeric_scale=scale))

    for mapping in (MAJOR, ColumnMapping(amount="major", numeric_scale=9)):
        columns = COLUMNS | {"amount_minor": debezium.numeric(scale)}
        assert expected == read_row(columns, row | {"amount_minor": data}, mapping)


def test_the_types_of_debezium_have_the_value_of_their_json() -> None:
    assert 1_250 == amount(debezium.VARIABLE, {"scale": 2, "value": b"\x04\xe2"})
    assert 1_210 == amount("float", float(np.float32(12.1)))
    assert 1_250 == amount("double", 12.5)
    assert InvalidReason.WRONG_TYPE == amount("bytes", b"12.50")
    assert 1_250 == amount("bytes", b"\x04\xe2", ColumnMapping(amount="major", numeric_scale=2))
    assert [InvalidReason.WRONG_TYPE] * 2 == [amount("double", float(odd)) for odd in ("nan", "-inf")]


@pytest.mark.parametrize(
    ("kind", "value", "unit"),
    [
        (debezium.TIMESTAMP, 1_760_000_000_000, "ms"),
        (debezium.CONNECT_TIMESTAMP, 1_760_000_000_000, "ms"),
        (debezium.MICRO_TIMESTAMP, 1_760_000_000_000_999, "us"),
        (debezium.NANO_TIMESTAMP, 1_760_000_000_000_999_999, "ns"),
        (debezium.ZONED_TIMESTAMP, "2025-10-09T10:53:20.000999+02:00", "ms"),
        (debezium.optional(debezium.ZONED_TIMESTAMP), "2025-10-09T08:53:20Z", "us"),
    ],
)
def test_a_time_is_read_in_the_unit_of_the_mapping(kind: Any, value: Any, unit: Any) -> None:
    columns, row = COLUMNS | {"event_time": kind}, ROW | {"event_time": value}
    found = read_row(columns, row, mapping := ColumnMapping(time_unit=unit))

    assert isinstance(found, Transaction)
    assert found.event_time == 1_760_000_000_000
    assert found == read_json(row, mapping)


@pytest.mark.parametrize("field", ["transaction_id", "terminal_id"])
def test_an_id_in_a_numeric_column_is_its_digits(field: str) -> None:
    row = ROW | {field: debezium.unscaled(Decimal(100))}
    found = read_row(COLUMNS | {field: debezium.numeric(0)}, row)

    assert getattr(found, field) == "100"
    assert InvalidReason.WRONG_TYPE == read_row(COLUMNS | {field: debezium.numeric(2)}, row)
    assert found == read_json(ROW | {field: {"scale": 0, "value": "ZA=="}})


@pytest.mark.parametrize(
    "schema",
    [
        debezium.envelope_schema(COLUMNS | {"mcc": ["null", "string", "long"]}),
        debezium.envelope_schema(COLUMNS | {"amount_minor": debezium.numeric(2) | {"scale": "2"}}),
    ],
    ids=["union", "scale"],
)
def test_a_schema_that_no_connector_writes_is_refused(schema: Any) -> None:
    value = debezium.envelope("d", None)

    assert InvalidReason.SCHEMA_MISMATCH == read(schema, value)


def test_damaged_values_are_undecodable() -> None:
    schema = debezium.envelope_schema(COLUMNS)
    whole = debezium.written(schema, debezium.envelope("c", ROW))
    decode = decoder(WriterSchema(AVRO, json.dumps(schema)))

    assert [InvalidReason.UNDECODABLE] * 2 == [
        outcome(decode, Record(ID + damaged)) for damaged in (whole[:-3], whole + b"x")
    ]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_transaction_ignored_or_invalid(data: bytes) -> None:
    decode = decoder(WriterSchema(AVRO, json.dumps(debezium.envelope_schema(COLUMNS))))

    assert isinstance(outcome(decode, Record(ID + data)), Transaction | Ignored | InvalidReason)


def test_without_a_mapping_change_events_are_dead_letters() -> None:
    event = debezium.envelope("c", ROW)

    assert InvalidReason.SCHEMA_MISMATCH == read(debezium.envelope_schema(COLUMNS), event, None)


def test_transactions_of_direct_producers_are_read_beside_them() -> None:
    schema = {
        "type": "record",
        "name": "Transaction",
        "fields": [{"name": name, "type": kind} for name, kind in COLUMNS.items()],
    }

    assert read_json(ROW) == read(schema, ROW)


@pytest.mark.parametrize("op", ["c", "d"])
def test_change_events_of_a_json_serializer_are_read_behind_their_schema_id(op: str) -> None:
    value = json.dumps(debezium.envelope(op, ROW)).encode()

    assert read_json(ROW, op=op) == outcome(decoder(WriterSchema(JSON, "{}")), Record(ID + value))
