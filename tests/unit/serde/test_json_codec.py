"""Invalid bytes are reported with the right reason, and the message never contains a value."""

import contextlib
import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.serde.json_codec import decode_transaction, encode_event
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason
from tests.support.wire.transaction import REQUIRED_FIELDS

SOUND = REQUIRED_FIELDS
CANARY = "CANARYVALUE"


def encoded(**changes: object) -> bytes:
    return json.dumps(SOUND | changes).encode()


def reason_of(value: bytes | None) -> InvalidReason:
    with pytest.raises(InvalidEvent) as caught:
        decode_transaction(value)
    return caught.value.reason


def test_a_valid_transaction_is_decoded_and_unknown_fields_are_ignored() -> None:
    decoded = decode_transaction(encoded(brand=CANARY, nested={"a": [1, 2]}))

    assert SOUND == {
        name: value for name, value in msgspec.structs.asdict(decoded).items() if value is not None
    }


@pytest.mark.parametrize(
    "value",
    [None, b"", b"hello", b"{", encoded()[:-1], encoded() + b"x", b"\xff\xfe", b"[" * 5 + b"{"],
    ids=["tombstone", "empty", "text", "brace", "truncated", "trailing", "binary", "unclosed"],
)
def test_bytes_that_are_not_json_are_invalid(value: bytes | None) -> None:
    expected = InvalidReason.WRONG_TYPE if value and value.startswith(b"[") else InvalidReason.NOT_JSON

    assert expected == reason_of(value)


@pytest.mark.parametrize("field", SOUND)
def test_a_missing_required_field_is_named(field: str) -> None:
    fields = {name: value for name, value in SOUND.items() if name != field}

    with pytest.raises(InvalidEvent, match=f"`{field}`") as caught:
        decode_transaction(json.dumps(fields).encode())
    assert caught.value.reason == InvalidReason.MISSING_FIELD
    assert reason_of(encoded(**{field: None})) == InvalidReason.MISSING_FIELD


def test_a_latitude_needs_a_longitude_and_the_reverse() -> None:
    assert reason_of(encoded(latitude=48.1)) == InvalidReason.MISSING_FIELD
    assert reason_of(encoded(longitude=11.6)) == InvalidReason.MISSING_FIELD


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": "1250"},
        {"amount_minor": 12.5},
        {"amount_minor": True},
        {"event_time": "2026-01-01T00:00:00Z"},
        {"customer_id": 17},
        {"currency": ["EUR"]},
        {"latitude": "48.1", "longitude": 11.6},
        {"channel": {}},
    ],
    ids=str,
)
def test_a_value_of_a_wrong_type_is_reported(changes: dict[str, object]) -> None:
    assert reason_of(encoded(**changes)) == InvalidReason.WRONG_TYPE


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": -1},
        {"amount_minor": 10**15 + 1},
        {"amount_minor": 10**40},
        {"transaction_id": ""},
        {"customer_id": "c" * 65},
        {"currency": "eur"},
        {"currency": "EURO"},
        {"country": "D"},
        {"mcc": "12345"},
        {"mcc": "\u0661\u0662\u0663\u0664"},
        {"latitude": 90.1, "longitude": 0},
        {"latitude": 0, "longitude": -180.5},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_reported(changes: dict[str, object]) -> None:
    assert reason_of(encoded(**changes)) == InvalidReason.OUT_OF_RANGE


@pytest.mark.parametrize("top", [b"null", b"[]", b"1", b'"text"', b"true"])
def test_json_that_is_no_object_has_a_wrong_type(top: bytes) -> None:
    assert reason_of(top) == InvalidReason.WRONG_TYPE


@pytest.mark.parametrize(
    "value",
    [
        encoded().replace(b'"EUR"', b"NaN"),
        encoded().replace(b"c1", b"c\xff"),
        encoded().replace(b"c1", b"c\\ud800"),
        encoded()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["NaN", "bad UTF-8", "lone surrogate", "deep nesting"],
)
def test_almost_valid_json_is_not_json(value: bytes) -> None:
    assert reason_of(value) == InvalidReason.NOT_JSON


@pytest.mark.parametrize(
    "value",
    [
        f'{{"transaction_id": {CANARY}}}'.encode(),
        CANARY.encode(),
        encoded(transaction_id=CANARY * 10),
        encoded(customer_id={CANARY: CANARY}),
        encoded(currency=CANARY),
        encoded(amount_minor=CANARY),
        encoded(event_time=CANARY),
        encoded(mcc=CANARY),
        encoded(latitude=CANARY, longitude=0),
        json.dumps({"transaction_id": CANARY}).encode(),
        json.dumps([CANARY]).encode(),
    ],
)
def test_the_message_never_holds_a_value(value: bytes) -> None:
    with pytest.raises(InvalidEvent) as caught:
        decode_transaction(value)

    assert CANARY not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_transaction_or_an_invalid_event(value: bytes) -> None:
    with contextlib.suppress(InvalidEvent):
        decode_transaction(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a9é\0", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(Transaction.__struct_fields__), JSON))
def test_any_fields_are_a_transaction_or_an_invalid_event(changes: dict[str, object]) -> None:
    value = json.dumps(SOUND | changes).encode()
    try:
        decoded = decode_transaction(value)
    except InvalidEvent:
        return
    assert decoded.customer_id.encode()
    assert decoded.latitude is None or math.isfinite(decoded.latitude)


def test_an_encoded_transaction_is_decoded_unchanged() -> None:
    sound = msgspec.convert(SOUND | {"latitude": 48.1, "longitude": 11.6, "channel": "online"}, Transaction)

    assert sound == decode_transaction(encode_event(sound))
