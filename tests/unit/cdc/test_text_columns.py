"""Text of a table: padding of CHAR columns, and the placeholder for a value that Debezium does not have."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.change_events import ChangeEvents
from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.field_source import Source
from app.adapters.mapped_values.text import TEXT_FIELDS
from app.domain.acceptance import Acceptance
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from tests.support.wire import debezium_avro as debezium
from tests.unit.cdc.test_avro_changes import COLUMNS, ROW, Record, outcome, read_json, read_row

UNAVAILABLE = "__debezium_unavailable_value"
BASE64 = b64encode(UNAVAILABLE.encode()).decode()
FULL = ROW | {"channel": "web", "mcc": "5411", "country": "FR", "device_id": "d1", "card_token": "k1"}


def flattened(row: dict[str, Any], mapping: ColumnMapping = CONTRACT) -> object:
    value = json.dumps(row | {"__op": "u", "__deleted": "false"}).encode()
    return outcome(ChangeEvents(mapping, score_updates=True).decode, Record(value))


@given(st.sampled_from(TEXT_FIELDS), st.integers(1, 60))
def test_the_spaces_of_a_padded_column_are_no_part_of_the_value(field: str, spaces: int) -> None:
    padded = FULL | {field: FULL[field] + " " * spaces}
    columns = {name: "long" if type(value) is int else "string" for name, value in FULL.items()}

    assert [read_json(FULL)] * 3 == [read_json(padded), flattened(padded), read_row(columns, padded)]


def test_only_spaces_at_the_end_are_padding() -> None:
    kept = " c\u00a0d\t"
    found = read_json(ROW | {"terminal_id": kept})

    assert isinstance(found, Transaction)
    assert found.terminal_id == kept
    assert InvalidReason.OUT_OF_RANGE == read_json(ROW | {"terminal_id": "    "})


def test_a_field_that_is_made_of_padded_columns_is_made_of_their_values() -> None:
    mapping = ColumnMapping(columns={"terminal_id": Source(template="{bank}-{shop}")})
    row = ROW | {"bank": "b1   ", "shop": "s1  "}
    found = read_json(row, mapping)

    assert isinstance(found, Transaction)
    assert found.terminal_id == "b1-s1"


def test_a_mapping_may_keep_the_spaces() -> None:
    found = read_json(ROW | {"terminal_id": "m1  "}, ColumnMapping(padding="keep"))

    assert isinstance(found, Transaction)
    assert found.terminal_id == "m1  "


def test_a_padded_key_is_refused_with_the_remedy() -> None:
    """murmur2 has chosen the partition by the spaces, too: without them it is another customer's."""
    found = read_json(ROW | {"customer_id": "c1   "})
    assert isinstance(found, Transaction)

    with pytest.raises(InvalidEvent, match="make its column text") as caught:
        Acceptance().check(found, key=b"c1   ", reference_ms=2_000_000_000_000)
    assert InvalidReason.KEY_MISMATCH == caught.value.reason
    Acceptance().check(found, key=b"c1", reference_ms=2_000_000_000_000)


@pytest.mark.parametrize(
    "value",
    [UNAVAILABLE, BASE64, UNAVAILABLE.encode().hex(), [UNAVAILABLE], [BASE64], {UNAVAILABLE: UNAVAILABLE}],
)
@pytest.mark.parametrize("field", ["device_id", "customer_id", "amount_minor", "event_time", "latitude"])
def test_the_placeholder_is_missing_not_a_value(field: str, value: Any) -> None:
    row = ROW | {"longitude": 1.0, "latitude": 1.0, field: value}

    assert [InvalidReason.MISSING_FIELD] * 2 == [read_json(row, op="u", score_updates=True), flattened(row)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", UNAVAILABLE),
        ("bytes", UNAVAILABLE.encode()),
        ({"type": "array", "items": "string"}, [UNAVAILABLE]),
        ({"type": "array", "items": "bytes"}, [UNAVAILABLE.encode()]),
        ({"type": "map", "values": "string"}, {UNAVAILABLE: UNAVAILABLE}),
    ],
    ids=["text", "bytes", "array", "array of bytes", "map"],
)
def test_the_placeholder_in_avro(kind: Any, value: Any) -> None:
    columns = COLUMNS | {"device_id": debezium.optional(kind)}

    assert InvalidReason.MISSING_FIELD == read_row(columns, ROW | {"device_id": value}, op="u")


def test_the_placeholder_in_a_column_of_a_built_field_is_refused() -> None:
    mapping = ColumnMapping(columns={"device_id": Source(column="device", default="none")})

    assert InvalidReason.MISSING_FIELD == read_json(ROW | {"device": UNAVAILABLE}, mapping)


def test_the_placeholder_in_a_column_that_no_field_uses_is_nothing() -> None:
    assert isinstance(read_json(ROW | {"note": UNAVAILABLE}), Transaction)


@pytest.mark.parametrize("scale", [10**5, -(10**5), 2**63, 10**30, -(10**30)])
@pytest.mark.parametrize("field", ["amount_minor", "terminal_id"])
def test_a_scale_that_no_column_has_is_refused(scale: int, field: str) -> None:
    """Decimal raises errors of its own for some of them, which once ended every worker that read such a record."""
    assert InvalidReason.OUT_OF_RANGE == read_json(
        ROW | {field: {"scale": scale, "value": "BOI="}}, ColumnMapping(amount="major")
    )
