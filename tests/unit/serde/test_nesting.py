"""One bound on nesting decides through every door: never the recursion limit of a Python release or of a library."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastavro import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.bounded_json import MAX_NESTING, BoundedDecoder, TooDeep, refuse_too_deep
from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.cdc.reference_events import read_change
from app.adapters.cdc.transaction_decoder import decode_plain
from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.parquet_sink.row_schemas import LABELS
from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, JSON, PROTOBUF, WriterSchema
from app.adapters.serde.avro_nesting import type_nesting
from app.adapters.serde.json_codec import label_of
from app.adapters.serde.schema_readers import reader
from app.adapters.tabular.files import read_batches
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidFile, InvalidReason
from app.history.label_files import read_fraud_flags
from app.processing.contact_events import alert_in_json
from tests.support.wire.transaction import REQUIRED_FIELDS

TRANSACTION = REQUIRED_FIELDS
LABEL = {**TRANSACTION, "is_fraud": True, "source": "chargeback", "reported_at": 1_760_000_000_000}
ALERT = {**TRANSACTION, "scored_at": 1_760_000_000_000, "outcome": "review", "transaction": TRANSACTION}
CHANGE = {"op": "c", "source": {"lsn": 1}, "after": {"customer_id": "c1"}}


class Record(NamedTuple):
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = "t"
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_760_000_000_000
    key: bytes | None = b"c1"


def nested(fields: dict[str, Any], depth: int, field: str = "unknown") -> bytes:
    """The JSON of an object whose unknown field makes it ``depth`` levels deep."""
    text = json.dumps(fields)
    return f'{text[:-1]}, "{field}": {"[" * (depth - 1)}{"]" * (depth - 1)}}}'.encode()


def envelope(depth: int) -> bytes:
    return b'{"op": "c", "before": null, "after": %b}' % nested(TRANSACTION, depth - 1)


def file_of(tmp_path: Path, line: bytes) -> Path:
    path = tmp_path / "file.jsonl"
    path.write_bytes(line + b"\n")
    return path


def rows_in_analytics(value: bytes) -> None:
    if LABELS.parse([Record(value)], -1).unreadable:
        raise InvalidEvent(InvalidReason.NOT_JSON, f"nested deeper than {MAX_NESTING} levels")


EVENTS = ChangeEvents(ColumnMapping())
FRAMED = reader(WriterSchema(JSON, "{}"), Transaction)

DOORS: dict[str, tuple[Callable[[int], bytes], Callable[[bytes], object]]] = {
    "transaction": (lambda depth: nested(TRANSACTION, depth), lambda value: decode_plain(Record(value))),
    "label": (lambda depth: nested(LABEL, depth), lambda value: label_of(Record(value))),
    "alert": (lambda depth: nested(ALERT, depth), lambda value: alert_in_json(Record(value))),
    "envelope": (envelope, lambda value: EVENTS.decode(Record(value))),
    "flattened row": (
        lambda depth: nested({**TRANSACTION, "__op": "c"}, depth),
        lambda value: EVENTS.decode(Record(value)),
    ),
    "JSON with a schema id": (
        lambda depth: nested(TRANSACTION, depth),
        lambda value: FRAMED(Framed(b"\0\0\0\0\1", None, value)),
    ),
    "analytics": (lambda depth: nested(LABEL, depth), rows_in_analytics),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("depth", [MAX_NESTING - 1, MAX_NESTING])
def test_as_deep_as_the_bound_is_read(door: str, depth: int) -> None:
    make, decode = DOORS[door]
    decode(make(depth))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 990, 5_000, 100_000])
def test_deeper_is_not_json_through_every_door(door: str, depth: int) -> None:
    make, decode = DOORS[door]
    with pytest.raises(InvalidEvent) as caught:
        decode(make(depth))
    assert caught.value.reason == InvalidReason.NOT_JSON
    assert caught.value.detail.endswith(f"nested deeper than {MAX_NESTING} levels")


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 100_000])
def test_a_deep_line_of_a_file_is_refused_with_its_number(tmp_path: Path, depth: int) -> None:
    path = file_of(tmp_path, nested(TRANSACTION, depth))
    with pytest.raises(
        InvalidFile, match="line 1: is not a JSON object: nested deeper than 256 levels"
    ) as caught:
        list(read_batches(path, CONTRACT))
    assert caught.value.reason == InvalidReason.NOT_JSON
    labels = file_of(tmp_path, nested(LABEL, depth))
    with pytest.raises(InvalidFile, match="row 1"):
        read_fraud_flags(labels, CONTRACT)
    with pytest.raises(InvalidEvent):
        read_change("customer", nested(CHANGE, depth))


@pytest.mark.parametrize("depth", [MAX_NESTING - 1, MAX_NESTING])
def test_a_line_as_deep_as_the_bound_is_read(tmp_path: Path, depth: int) -> None:
    assert len(list(read_batches(file_of(tmp_path, nested(TRANSACTION, depth)), CONTRACT))) == 1
    assert read_fraud_flags(file_of(tmp_path, nested(LABEL, depth)), CONTRACT) == {"t1": True}
    assert read_change("customer", nested(CHANGE, depth)) is not None


def test_the_bound_holds_deep_in_the_call_stack() -> None:
    """An older Python counts the callers in the same limit."""

    def call(frames: int) -> object:
        return decode_plain(Record(nested(TRANSACTION, MAX_NESTING))) if frames == 0 else call(frames - 1)

    assert call(500)


texts = st.text(st.sampled_from('[]{}"\\,:a\n'), max_size=8)
inner = st.recursive(
    st.none() | st.integers() | texts,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(texts, each, max_size=3),
    max_leaves=8,
)


def depth_of(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth_of, parts), default=0)


@given(value=inner, around=st.integers(MAX_NESTING - 6, MAX_NESTING + 2), text=texts, as_list=st.booleans())
def test_brackets_in_texts_do_not_count(value: Any, around: int, text: str, as_list: bool) -> None:
    encoded, begin, end = json.dumps(value), json.dumps(text), json.dumps(text)
    left, right = (f"[{begin}, ", f", {end}]") if as_list else (f"{{{begin}: ", "}")
    whole = (left * around + encoded + right * around).encode()
    expected = around + depth_of(value) > MAX_NESTING
    try:
        refuse_too_deep(whole)
        found = False
    except TooDeep:
        found = True
    assert found == expected
    if not expected:
        BoundedDecoder(Any).decode(whole)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "record", "name": "a.N", "fields": [{"name": "n", "type": ["null", "a.N"]}]}, True),
        (
            {
                "type": "record",
                "name": "N",
                "fields": [{"name": "n", "type": {"type": "array", "items": "N"}}],
            },
            True,
        ),
        (
            {
                "type": "record",
                "name": "N",
                "fields": [{"name": "n", "type": {"type": "map", "values": "N"}}],
            },
            True,
        ),
        (
            {
                "type": "record",
                "name": "A",
                "fields": [
                    {
                        "name": "b",
                        "type": {
                            "type": "record",
                            "name": "B",
                            "fields": [{"name": "a", "type": ["A", "int"]}],
                        },
                    }
                ],
            },
            True,
        ),
        (
            {
                "type": "record",
                "name": "A",
                "fields": [
                    {
                        "name": "b",
                        "type": {"type": "record", "name": "B", "fields": [{"name": "i", "type": "int"}]},
                    },
                    {"name": "c", "type": ["B", "null"]},
                    {"name": "d", "type": {"type": "array", "items": "B"}},
                ],
            },
            False,
        ),
        ("string", False),
    ],
)
def test_a_recursive_avro_schema_is_recognised(schema: Any, expected: bool) -> None:
    named: dict[str, Any] = {}
    assert math.isinf(type_nesting(parse_schema(schema, named), named)) is expected


def test_values_of_a_recursive_avro_schema_are_refused() -> None:
    """The compiled reader would follow the value into the depth, and end the process."""
    fields = [{"name": name, "type": "string"} for name in ("transaction_id", "customer_id", "terminal_id")]
    deep = {
        "name": "x",
        "type": {"type": "record", "name": "N", "fields": [{"name": "n", "type": ["null", "N"]}]},
    }
    text = json.dumps({"type": "record", "name": "Transaction", "fields": [*fields, deep]})
    with pytest.raises(InvalidEvent) as caught:
        reader(WriterSchema(AVRO, text), Transaction)(Framed(b"\0\0\0\0\1", None, b"\2" * 100_000))
    assert (caught.value.reason, caught.value.detail) == (
        InvalidReason.SCHEMA_MISMATCH,
        "its schema is recursive",
    )


@pytest.mark.parametrize("depth", [101, 5_000, 100_000])
def test_groups_in_a_protobuf_value_are_bounded_by_its_library(depth: int) -> None:
    """Of unknown fields only groups are followed into the depth. The bound is compiled in: no Python release changes it."""
    begin, end = b"\x9b\x06", b"\x9c\x06"  # of field 99
    text = "message Transaction { string transaction_id = 1; }"
    with pytest.raises(InvalidEvent) as caught:
        reader(WriterSchema(PROTOBUF, text), Transaction)(
            Framed(b"\0\0\0\0\1", None, b"\0" + begin * depth + end * depth)
        )
    assert caught.value.reason == InvalidReason.UNDECODABLE
