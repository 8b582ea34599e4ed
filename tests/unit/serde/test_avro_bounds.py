"""What the author of an Avro schema can ask of the reader is bounded: depth by names, copies of enums, counts of blocks."""

import json
import math
import time
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from fastavro import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, WriterSchema
from app.adapters.serde.avro_nesting import MAX_TYPE_NESTING, type_nesting
from app.adapters.serde.schema_readers import reader
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from tests.support.wire.record_batches import varint

TEXTS = ("transaction_id", "customer_id", "terminal_id", "currency")
FIELDS = [
    *({"name": name, "type": "string"} for name in TEXTS),
    *({"name": name, "type": "long"} for name in ("event_time", "amount_minor")),
]
VALUE = b"\x02t\x02c\x02T\x06EUR\x02\x02"
"""Of FIELDS."""


def record(name: str, *kinds: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{i}", "type": kind} for i, kind in enumerate(kinds)],
    }


def chain(length: int) -> list[dict[str, Any]]:
    """Records of which each has the one before as its field, by its name: the JSON is flat."""
    return [record("R0", "int"), *(record(f"R{i}", f"R{i - 1}") for i in range(1, length))]


def read(extra: Sequence[Any], value: bytes, references: Sequence[Any] = ()) -> dict[str, Any]:
    """A transaction with fields of further types."""
    more = [{"name": f"extra{i}", "type": kind} for i, kind in enumerate(extra)]
    text = json.dumps({"type": "record", "name": "Transaction", "fields": [*FIELDS, *more]})
    schema = WriterSchema(AVRO, text, tuple(map(json.dumps, references)))
    return reader(schema, Transaction)(Framed(b"", None, VALUE + value))


def refusal(extra: Sequence[Any], value: bytes = b"", references: Sequence[Any] = ()) -> str:
    begun = time.process_time()
    with pytest.raises(InvalidEvent) as caught:
        read(extra, value, references)
    assert caught.value.reason is InvalidReason.SCHEMA_MISMATCH
    assert time.process_time() - begun < 1.0
    return caught.value.detail


@pytest.mark.parametrize("length", [MAX_TYPE_NESTING, 500, 10_000])
def test_types_nested_by_their_names_are_bounded(length: int) -> None:
    """Python's recursion limit ended the process; without it the compiled reader would, in machine code."""
    too_deep = f"its schema is nested deeper than {MAX_TYPE_NESTING} types"
    assert refusal([record("Z", *chain(length))]) == too_deep
    assert refusal([f"R{length - 1}"], b"\2", [record("Z", *chain(length))]) == too_deep
    assert refusal(["int"], b"\2", [record("Z", *chain(length))]) == too_deep


def test_types_nested_as_deep_as_the_bound_are_read() -> None:
    length = MAX_TYPE_NESTING - 3  # the transaction, Z and the integer are three more
    assert read([record("Z", *chain(length))], b"\2" * length)["transaction_id"] == "t"
    assert read([f"R{length - 1}"], b"\2", [record("Z", *chain(length))])["transaction_id"] == "t"


@pytest.mark.parametrize(
    "inner",
    [
        "N",
        ["null", "N"],
        {"type": "map", "values": "N"},
        {"type": "map", "values": ["null", "N"]},
        {"type": "array", "items": {"type": "map", "values": "N"}},
        record("M", {"type": "map", "values": ["int", "N"]}),
    ],
)
def test_a_schema_that_is_recursive_through_any_type_is_refused(inner: Any) -> None:
    assert refusal([record("N", inner)], b"\2" * 100_000) == "its schema is recursive"
    assert refusal(["int"], b"\2", [record("N", inner)]) == "its schema is recursive"


def test_an_enum_is_not_copied_without_bound() -> None:
    """Of 20,000 symbols in 20,000 places, half a megabyte of schema, 400 million would be made."""
    enum = {"type": "enum", "name": "E", "symbols": [f"s{i}" for i in range(20_000)]}
    assert refusal([enum, *["E"] * 20_000]).startswith("its schema has more than 100,000 symbols of enums")
    tracemalloc.start()
    with pytest.raises(InvalidEvent):
        read([enum, *["E"] * 20_000], b"")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def test_an_enum_with_other_attributes_is_read_wherever_it_is_named() -> None:
    enum = {"type": "enum", "name": "E", "symbols": ["pos", "online"], "aliases": ["F"], "doc": "d", "default": "pos"}  # fmt: skip
    text = json.dumps(
        {"type": "record", "name": "Transaction", "fields": [*FIELDS, {"name": "x", "type": enum}, {"name": "channel", "type": "E"}]}
    )  # fmt: skip
    fields = reader(WriterSchema(AVRO, text), Transaction)(Framed(b"", None, VALUE + b"\0\2"))
    assert fields["channel"] == "online"


@pytest.mark.parametrize("kind", [{"type": "array", "items": "int"}, {"type": "map", "values": "null"}])
@pytest.mark.parametrize("count", [2**62, 10**9, 5, -5, -(10**9), -(2**62), -(2**63)])
@pytest.mark.parametrize("size", [0, 5, -5, 2**31, 2**62, -(2**62)])
def test_no_count_and_size_of_a_block_takes_long(kind: Any, count: int, size: int) -> None:
    """A negative count is followed by the size of the block in bytes, which is as freely invented."""
    begun = time.process_time()
    with suppress(InvalidEvent):
        assert read([kind], varint(count) + varint(size) + b"\0" * 20)["transaction_id"] == "t"
    assert time.process_time() - begun < 1.0


def test_items_with_some_values_without_bytes_are_refused() -> None:
    """A hundred nulls beside each byte made 4 GB of a MiB."""
    items = record("I", "int", *["null"] * 10)
    assert "take no bytes" in refusal([{"type": "array", "items": items}], varint(10**6) + b"\0" * 10**6)


leaves = st.sampled_from(["int", "null", "string"])
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda kinds: ("record", kinds))
        | inner.map(lambda kind: ("array", [kind]))
        | inner.map(lambda kind: ("map", [kind]))
    ),
    max_leaves=12,
)


def schema_of(tree: Any, names: list[str]) -> tuple[Any, int]:
    """The schema of a tree, and its levels."""
    if isinstance(tree, str):
        return tree, 1
    kind, inner = tree
    parts, levels = zip(*(schema_of(each, names) for each in inner), strict=True)
    if kind == "record":
        names.append(f"R{len(names)}")
        return record(names[-1], *parts), 1 + max(levels)
    return {"type": kind, "items" if kind == "array" else "values": parts[0]}, 1 + levels[0]


@given(tree=trees, chained=st.integers(0, 80))
def test_the_levels_are_those_of_the_deepest_value(tree: Any, chained: int) -> None:
    schema, levels = schema_of(tree, [])
    wrapped = record("Top", schema, *(record(f"C{i}", f"C{i - 1}" if i else "int") for i in range(chained)))
    expected = 1 + max(levels, 1 + chained if chained else 0)
    named: dict[str, Any] = {}
    found = type_nesting(parse_schema(wrapped, named), named)
    assert found == expected if expected <= MAX_TYPE_NESTING else MAX_TYPE_NESTING < found < math.inf
