"""Changes of the customers' and terminals' tables: key, version and current row."""

import json
from base64 import b64encode
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.reference_events import ReferenceChange, read_change
from app.adapters.cdc.values_as_json import ValuesAsJson
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from app.errors import InvalidEvent
from app.reference.row_changes import changes
from tests.support.wire import debezium_avro as debezium

ROW = {"terminal_id": "m1", "name": "Fuel 24", "country": "FR"}


class Record(NamedTuple):
    topic: str
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def event(op: str, after: object = None, before: object = None, lsn: object = 7) -> bytes:
    return json.dumps({"before": before, "after": after, "source": {"lsn": lsn}, "op": op}).encode()


@pytest.mark.parametrize("op", ["c", "r", "u"])
def test_a_change_holds_the_row_after_it(op: str) -> None:
    assert ReferenceChange("terminal", "m1", 7, ROW) == read_change("terminal", event(op, ROW))


def test_a_deleted_row_needs_only_its_key() -> None:
    deleted = event("d", before={"terminal_id": "m1", "name": None})

    assert ReferenceChange("terminal", "m1", 7, None) == read_change("terminal", deleted)


def test_a_record_that_changes_no_row_is_skipped() -> None:
    assert [None] * 3 == [read_change("terminal", value) for value in (None, event("t"), event("m"))]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        event("c"),
        event("c", {"name": "x"}),
        event("c", ROW, lsn="x"),
        event("c", {"terminal_id": ""}),
    ],
)
def test_an_invalid_change_is_refused(value: bytes) -> None:
    with pytest.raises(InvalidEvent):
        read_change("terminal", value)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_change_skipped_or_refused(value: bytes) -> None:
    try:
        read_change("customer", value)
    except InvalidEvent:
        return


def test_a_refused_record_does_not_affect_its_neighbours() -> None:
    records: list[Any] = [
        Record("t", event("c", ROW)),
        Record("t", b"no event"),
        Record("t", None),
        Record("c", event("r", {"customer_id": 5})),
    ]

    found = changes(records, {"t": "terminal", "c": "customer"})

    assert [("terminal", "m1"), ("customer", "5")] == [(change.kind, change.id) for change in found]


class Registry:
    """Knows the schema of one table."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def schema(self, key: bytes) -> WriterSchema | None:
        return WriterSchema(AVRO, json.dumps(self._schema)) if key == ID else None


ID = b"\0\0\0\0\7"
COLUMNS = {"terminal_id": "string", "limit": debezium.numeric(2), "lat": "double", "note": ["null", "string"]}


def avro(op: str, after: Any, before: Any = None) -> tuple[Any, ...]:
    """A change in Avro, and the same one in JSON."""
    schema, whole = debezium.envelope_schema(COLUMNS), debezium.envelope(op, after, before)
    in_json = json.dumps(whole, default=lambda data: {"scale": 2, "value": b64encode(data).decode()})
    return Registry(schema), ID + debezium.written(schema, whole), in_json.encode()


@pytest.mark.parametrize("op", ["c", "u", "d"])
def test_a_change_in_avro_is_read_like_its_json(op: str) -> None:
    row = {"terminal_id": "m1", "limit": b"\x04\xe2", "lat": 48.25, "note": None}
    registry, value, in_json = avro(op, None if op == "d" else row, row)
    record = Record("t", value)

    found = changes([record], {"t": "terminal"}, ValuesAsJson(registry))

    assert [read_change("terminal", in_json)] == found
    assert found[0].row is None if op == "d" else found[0].row == json.loads(in_json)["after"]


def test_values_of_unknown_schemas_do_not_affect_their_neighbours() -> None:
    row = {"terminal_id": "m1", "limit": b"\x01", "lat": 1.0, "note": "n"}
    registry, value, _ = avro("c", row)
    records: list[Any] = [
        Record("t", b"\0\0\0\0\x09abc"), Record("t", ID + b"\xff"), Record("t", b"\0\1"),
        Record("t", None), Record("t", value), Record("t", event("c", ROW)),
    ]  # fmt: skip

    found = changes(records, {"t": "terminal"}, ValuesAsJson(registry))

    assert ["m1", "m1"] == [change.id for change in found]


def test_an_unavailable_value_is_null_and_a_padded_id_has_no_padding() -> None:
    found = read_change(
        "terminal", event("u", {"terminal_id": "m1   ", "name": "__debezium_unavailable_value"})
    )

    assert found == ReferenceChange("terminal", "m1", 7, {"terminal_id": "m1   ", "name": None})
