"""Changes of the customers' and terminals' tables: key, version and current row."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.reference_events import ReferenceChange, read_change
from app.errors import InvalidEvent
from app.reference.redis_sync import changes

ROW = {"terminal_id": "m1", "name": "Fuel 24", "country": "FR"}


class Record(NamedTuple):
    topic: str
    value: bytes | None
    partition: int = 0
    offset: int = 0


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
