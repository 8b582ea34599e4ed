"""A small record of a producer's schema must not hold more values than it has bytes for."""

import json
import time
from typing import Any

import pytest
from fastavro import parse_schema

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from app.adapters.serde.avro_free_values import MOST_PER_BYTE, has_too_many
from app.adapters.serde.schema_readers import reader
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from tests.support.wire.record_batches import varint

NOTHING: dict[str, Any] = {"type": "record", "name": "Nothing", "fields": []}
EMPTY_FIXED: dict[str, Any] = {"type": "fixed", "name": "Empty", "size": 0}


def record(*kinds: Any, name: str = "R") -> dict[str, Any]:
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)]
    return {"type": "record", "name": name, "fields": fields}


def doubled(levels: int) -> dict[str, Any]:
    """Each record has two fields of the record before; the last has 2**levels nulls."""
    first = record("null", name="D0")
    further = [record(f"D{n - 1}", f"D{n - 1}", name=f"D{n}") for n in range(1, levels)]
    return record(first, *further, name="Top")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(record({"type": "array", "items": "null"}), True, id="array of nulls"),
        pytest.param(record({"type": "array", "items": NOTHING}), True, id="array of empty records"),
        pytest.param(record({"type": "array", "items": EMPTY_FIXED}), True, id="array of empty fixed"),
        pytest.param(record({"type": "array", "items": record("null", NOTHING, name="I")}), True, id="nested"),
        pytest.param(record(["null", {"type": "array", "items": "null"}]), True, id="in a union"),
        pytest.param(record({"type": "map", "values": {"type": "array", "items": "null"}}), True, id="in a map"),
        pytest.param(record(NOTHING, {"type": "array", "items": "Nothing"}), True, id="by its name"),
        pytest.param(
            record({"type": "array", "items": record("int", *["null"] * MOST_PER_BYTE, name="I")}), True, id="many nulls an item"
        ),
        pytest.param(doubled(40), True, id="doubled records"),
        pytest.param(doubled(5), False, id="few doubled records"),
        pytest.param(record({"type": "map", "values": "null"}), False, id="a set as a map: its keys take bytes"),
        pytest.param(record({"type": "array", "items": ["null", "string"]}), False, id="optional items"),
        pytest.param(record({"type": "array", "items": record("int", "null", name="I")}), False, id="some null"),
        pytest.param(record({"type": "array", "items": {"type": "array", "items": "int"}}), False, id="arrays"),
        pytest.param(record(*["string"] * 300), False, id="many fields"),
    ],
)  # fmt: skip
def test_values_without_bytes_are_bounded(schema: dict[str, Any], expected: bool) -> None:
    named: dict[str, Any] = {}

    assert has_too_many(parse_schema(schema, named), named) is expected


def test_an_array_of_nulls_cannot_stop_a_worker() -> None:
    fields = {
        "transaction_id": "string",
        "customer_id": "string",
        "terminal_id": "string",
        "currency": "string",
    }
    schema = {
        "type": "record",
        "name": "Transaction",
        "fields": [
            *({"name": name, "type": kind} for name, kind in fields.items()),
            *({"name": name, "type": "long"} for name in ("event_time", "amount_minor")),
            {"name": "extra", "type": {"type": "array", "items": "null"}},
        ],
    }
    value = b"\x02t\x02c\x02m\x06EUR\x02\x02" + varint(10**9) + b"\0"
    begun = time.process_time()

    with pytest.raises(InvalidEvent) as refused:
        reader(WriterSchema(AVRO, json.dumps(schema)), Transaction)(Framed(b"", None, value))

    assert refused.value.reason is InvalidReason.SCHEMA_MISMATCH
    assert time.process_time() - begun < 1.0
