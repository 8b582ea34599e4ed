"""Events survive each format unchanged, from any writer and with older or newer schemas."""

import base64
import contextlib
import json
from io import BytesIO
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.schema_registry.wire_format import Framed
from app.adapters.schema_registry.writer_schema import AVRO, JSON, PROTOBUF, WriterSchema
from app.adapters.serde import avro_schemas, avro_values, protobuf_schemas, protobuf_values
from app.adapters.serde.event_encoder import own_schema
from app.adapters.serde.json_codec import convert
from app.adapters.serde.schema_readers import reader
from app.domain.decision import (
    Alert,
    FeatureState,
    FeatureValue,
    ModelReference,
    Reason,
    SourceOffset,
    Thresholds,
)
from app.domain.label import Label, LabelSource
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, FiredRule, Holdout, OutcomeBy, PolicyReference, RuleMode
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason

CANARY = "CANARYVALUE"
SOUND: dict[str, Any] = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": 1_760_000_000_000,
    "amount_minor": 0,
    "currency": "EUR",
}
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
WRITERS = {"avro": avro_values.writer, "protobuf": protobuf_values.writer}


def texts() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def transactions() -> st.SearchStrategy[Transaction]:
    place = st.one_of(
        st.just((None, None)), st.tuples(st.floats(-90, 90, width=64), st.floats(-180, 180, width=64))
    )
    fields = st.fixed_dictionaries(
        {
            "transaction_id": texts(),
            "customer_id": texts(),
            "terminal_id": texts(),
            "event_time": st.integers(-(2**62), 2**62),
            "amount_minor": st.integers(0, 10**15),
            "currency": st.from_regex("[A-Z]{3}", fullmatch=True),
            "channel": st.none() | texts(),
            "mcc": st.none() | st.from_regex("[0-9]{4}", fullmatch=True),
            "card_token": st.none() | texts(),
            "decide_by": st.none() | st.integers(0, 253_402_300_799_999),
        }
    )
    return st.builds(lambda known, at: Transaction(**known, latitude=at[0], longitude=at[1]), fields, place)


def labels() -> st.SearchStrategy[Label]:
    moment = st.integers(-(2**62), 2**62)
    return st.builds(
        Label,
        transaction_id=texts(),
        customer_id=texts(),
        terminal_id=texts(),
        event_time=moment,
        reported_at=moment,
        is_fraud=st.booleans(),
        source=st.sampled_from(LabelSource),
        device_id=st.none() | texts(),
    )


def alerts() -> st.SearchStrategy[Alert]:
    reasons = st.builds(
        Reason, code=texts(), text=texts(), value=st.none() | NUMBER, baseline=st.none() | NUMBER
    )
    fired = st.builds(
        FiredRule,
        id=st.sampled_from(["a", "rule-1_x"]),
        effect=st.sampled_from(Effect),
        mode=st.sampled_from(RuleMode),
    )
    values = st.builds(FeatureValue, value=st.none() | NUMBER, state=st.sampled_from(FeatureState))
    return st.builds(
        Alert,
        decision_id=texts(),
        transaction_id=texts(),
        customer_id=texts(),
        event_time=st.integers(0, 2**62),
        scored_at=st.integers(0, 2**62),
        score=st.floats(0, 1),
        outcome=st.sampled_from(Outcome),
        thresholds=st.just(Thresholds(review=0.0, decline=0.5)),
        model=st.builds(
            ModelReference, name=st.sampled_from(["m", "a.b-c_1"]), version=st.just("1"), digest=texts()
        ),
        catalog=texts(),
        features=st.lists(st.none() | NUMBER, max_size=5),
        source=st.builds(SourceOffset, topic=texts(), partition=st.integers(0, 9), offset=st.integers(0, 9)),
        transaction=transactions(),
        reasons=st.lists(reasons, max_size=2),
        shadow=st.dictionaries(texts(), NUMBER, max_size=2),
        policy=st.none()
        | st.builds(PolicyReference, name=st.just("desk"), version=st.just("7"), digest=texts()),
        lists_offset=st.none() | st.integers(0, 2**62),
        outcome_by=st.sampled_from(OutcomeBy),
        rules=st.lists(texts(), max_size=2),
        fired=st.lists(fired, max_size=2),
        holdout=st.none()
        | st.builds(
            Holdout,
            propensity=st.floats(0, 1, exclude_min=True),
            overridden=st.sampled_from(Outcome),
        ),
        alert_id=texts(),
        snapshot=st.dictionaries(texts(), values, max_size=3),
    )


def framed(form: str, payload: bytes) -> Framed:
    return Framed(b"\0\0\0\0\1", None, payload if form == "avro" else b"\0" + payload)


def written_and_read(event: msgspec.Struct, form: str) -> msgspec.Struct:
    kind = type(event)
    payload = WRITERS[form](kind)(msgspec.json.encode(event))
    return convert(reader(own_schema(kind, form), kind)(framed(form, payload)), kind)


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Fewer examples, because each builds a complete event."""


@pytest.mark.parametrize("form", WRITERS)
@FEW
@given(event=transactions() | labels() | alerts())
def test_an_event_is_read_as_it_was_written(form: str, event: msgspec.Struct) -> None:
    assert event == written_and_read(event, form)


@pytest.mark.parametrize("form", WRITERS)
def test_nan_is_published_as_a_missing_value_as_in_json(form: str) -> None:
    reason = Reason(code="c", text="t", value=float("nan"), baseline=None)
    written = msgspec.json.encode(EXAMPLE | {"reasons": [reason], "features": [float("nan"), 1.0]})
    fields = reader(own_schema(Alert, form), Alert)(framed(form, WRITERS[form](Alert)(written)))

    assert ([None, 1.0], None) == (fields["features"], fields["reasons"][0].get("value"))


EXAMPLE: dict[str, Any] = {
    **dict.fromkeys(("decision_id", "transaction_id", "customer_id", "catalog", "alert_id"), "x"),
    "event_time": 1,
    "scored_at": 2,
    "score": 0.0,
    "outcome": "review",
    "thresholds": {"review": 0.1, "decline": 0.2},
    "model": {"name": "n", "version": "1", "digest": "d"},
    "features": [],
    "source": {"topic": "t", "partition": 0, "offset": 0},
    "transaction": SOUND,
    "degraded": [],
    "rules": [],
    "reasons": [],
    "shadow": {},
    "explained_by": "rarity",
    "snapshot": {},
}


def avro_by(
    fields: list[dict[str, Any]], content: dict[str, Any], name: str = "Transaction"
) -> dict[str, Any]:
    """Write ``content`` with a schema of these fields; return the fields read back."""
    schema = {"type": "record", "name": name, "namespace": "com.bank", "fields": fields}
    written = BytesIO()
    schemaless_writer(written, parse_schema(json.loads(json.dumps(schema))), content)
    read = reader(WriterSchema(AVRO, json.dumps(schema)), Transaction)
    return read(Framed(b"\0\0\0\0\1", None, written.getvalue()))


def required(**types: Any) -> list[dict[str, Any]]:
    """The required fields, with other types as given."""
    kinds = dict.fromkeys(SOUND, "string") | {"event_time": "long", "amount_minor": "long"} | types
    return [{"name": name, "type": kind} for name, kind in kinds.items()]


def test_a_schema_without_optional_fields_is_read() -> None:
    assert Transaction(**SOUND) == convert(avro_by(required(), SOUND), Transaction)


def test_unknown_fields_of_a_newer_writer_are_ignored() -> None:
    newer = [*required(), {"name": "mood", "type": ["null", {"type": "map", "values": "double"}]}]

    assert Transaction(**SOUND) == convert(avro_by(newer, SOUND | {"mood": {CANARY: 1.0}}), Transaction)


def test_an_avro_timestamp_is_read_as_its_number() -> None:
    moment = {"type": "long", "logicalType": "timestamp-millis"}

    assert SOUND["event_time"] == avro_by(required(event_time=moment), SOUND)["event_time"]


def test_smaller_number_types_are_promoted_and_nullable_fields_are_read() -> None:
    fields = required(amount_minor="int", currency=["null", "string"])

    assert Transaction(**SOUND) == convert(avro_by(fields, SOUND), Transaction)


CURRENCY = {"type": "enum", "name": "Currency", "symbols": ["USD", "EUR"]}


@pytest.mark.parametrize(
    ("types", "changes"),
    [
        ({"currency": CURRENCY}, {}),
        ({"currency": ["null", CURRENCY]}, {}),
        ({"currency": [CURRENCY, "string"]}, {}),
        ({"currency": ["string", CURRENCY]}, {}),
        ({"channel": ["null", CURRENCY]}, {"channel": "USD"}),
        ({"channel": ["null", CURRENCY]}, {"channel": None}),
        ({"channel": CURRENCY, "currency": "com.bank.Currency"}, {"channel": "USD"}),
        ({"currency": CURRENCY, "device_id": ["null", "com.bank.Currency"]}, {"device_id": "USD"}),
    ],
)
def test_an_enum_is_read_as_the_text_of_its_symbol(types: dict[str, Any], changes: dict[str, Any]) -> None:
    kinds = dict.fromkeys(SOUND, "string") | {"event_time": "long", "amount_minor": "long"}
    order = [*types, *(name for name in kinds if name not in types)]
    fields = [{"name": name, "type": types.get(name, kinds.get(name))} for name in order]

    assert Transaction(**SOUND | changes) == convert(avro_by(fields, SOUND | changes), Transaction)


def test_an_enum_for_a_number_stays_a_mismatch() -> None:
    with pytest.raises(InvalidEvent, match="schema_mismatch"):
        avro_by(required(amount_minor=CURRENCY), SOUND | {"amount_minor": "EUR"})


@pytest.mark.parametrize(
    ("fields", "changes", "name"),
    [
        (required(amount_minor="string"), {"amount_minor": CANARY}, "Transaction"),
        (required(currency=["null", "string"]), {"currency": None}, "Transaction"),
        (required()[1:], {}, "Transaction"),
        (required(), {}, "Customer"),
    ],
    ids=["another type", "null", "a field less", "another record"],
)
def test_an_incompatible_schema_is_a_mismatch(
    fields: list[dict[str, Any]], changes: dict[str, Any], name: str
) -> None:
    with pytest.raises(InvalidEvent) as caught:
        avro_by(fields, SOUND | changes, name)

    assert (InvalidReason.SCHEMA_MISMATCH, False) == (caught.value.reason, CANARY in caught.value.detail)


def test_a_schema_is_read_with_the_schemas_that_it_references() -> None:
    currency = {"type": "record", "name": "com.bank.Money", "fields": [{"name": "of", "type": "string"}]}
    whole = {
        "type": "record",
        "name": "com.bank.Transaction",
        "fields": [*required(), {"name": "money", "type": "com.bank.Money"}],
    }
    named: dict[str, Any] = {}
    parse_schema(json.loads(json.dumps(currency)), named)
    written = BytesIO()
    schemaless_writer(
        written, parse_schema(json.loads(json.dumps(whole)), named), SOUND | {"money": {"of": "x"}}
    )
    schema = WriterSchema(AVRO, json.dumps(whole), (json.dumps(currency),))

    read = reader(schema, Transaction)(Framed(b"\0\0\0\0\1", None, written.getvalue()))
    assert Transaction(**SOUND) == convert(read, Transaction)


@pytest.mark.parametrize("text", ["", "{", '{"type": "record"}', '{"type": "nonsense"}'])
def test_an_invalid_schema_makes_its_values_a_mismatch(text: str) -> None:
    read = reader(WriterSchema(AVRO, text), Transaction)

    with pytest.raises(InvalidEvent, match="schema_mismatch"):
        read(Framed(b"\0\0\0\0\1", None, b""))


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=50, deadline=None)
@given(payload=st.binary(max_size=200))
def test_any_bytes_are_a_transaction_or_invalid(form: str, payload: bytes) -> None:
    read = reader(own_schema(Transaction, form), Transaction)

    with contextlib.suppress(InvalidEvent):
        assert isinstance(convert(read(framed(form, payload)), Transaction), Transaction)


def test_bytes_after_the_value_are_refused() -> None:
    payload = avro_values.writer(Transaction)(json.dumps(SOUND).encode())
    read = reader(own_schema(Transaction, "avro"), Transaction)

    with pytest.raises(InvalidEvent, match="undecodable: the value is longer"):
        read(Framed(b"\0\0\0\0\1", None, payload + b"\0"))


PAYLOAD = protobuf_values.writer(Transaction)(json.dumps(SOUND).encode())
FILE = """
syntax = "proto3"; // message Comment {
/* message Other { */
option java_package = "message Text {";
message First { message Transaction { string a = 1; } oneof x { string b = 2; } }
message Transaction { string transaction_id = 1; map<string, string> m = 99; }
"""


@pytest.mark.parametrize(
    ("text", "index", "found"),
    [
        (FILE, b"\x02\x02", True),  # one step, the second message
        (FILE, b"\0", False),
        (FILE, b"\x04\0\0", False),  # two steps: a message within the first one
        (FILE, b"\x02\x08", False),
        (FILE, b"\x02\x01", False),  # -1, which is no index, although the last message is a transaction
        (FILE, b"\x02\x05", False),
        (
            base64.b64encode(protobuf_schemas.descriptor(Transaction).SerializeToString()).decode(),
            b"\0",
            True,
        ),
        (base64.b64encode(protobuf_schemas.descriptor(Alert).SerializeToString()).decode(), b"\0", False),
    ],
)
def test_the_message_that_a_value_names_must_be_a_transaction(text: str, index: bytes, found: bool) -> None:
    read = reader(WriterSchema(PROTOBUF, text), Transaction)

    if found:
        assert Transaction(**SOUND) == convert(
            read(Framed(b"\0\0\0\0\1", None, index + PAYLOAD)), Transaction
        )
    else:
        with pytest.raises(InvalidEvent, match="schema_mismatch"):
            read(Framed(b"\0\0\0\0\1", None, index + PAYLOAD))


def test_an_amount_of_zero_differs_from_a_missing_amount() -> None:
    kind: Any = protobuf_values.message_class(Transaction)
    read = reader(own_schema(Transaction, "protobuf"), Transaction)
    without = {name: value for name, value in SOUND.items() if name != "amount_minor"}

    assert 0 == read(framed("protobuf", kind(**SOUND).SerializeToString()))["amount_minor"]
    with pytest.raises(InvalidEvent, match=r"missing_field.*`amount_minor`"):
        convert(read(framed("protobuf", kind(**without).SerializeToString())), Transaction)


def test_unknown_protobuf_field_numbers_are_ignored() -> None:
    unknown = bytes([0xFA, 0x06, 3]) + b"abc"  # field 111, three bytes
    read = reader(own_schema(Transaction, "protobuf"), Transaction)

    assert Transaction(**SOUND) == convert(read(framed("protobuf", PAYLOAD + unknown)), Transaction)


def test_json_after_a_schema_id_is_read_as_json() -> None:
    read = reader(WriterSchema(JSON, "{}"), Transaction)

    assert Transaction(**SOUND) == convert(
        read(Framed(b"\0\0\0\0\1", None, json.dumps(SOUND).encode())), Transaction
    )
    with pytest.raises(InvalidEvent, match="not_json"):
        read(Framed(b"\0\0\0\0\1", None, b"{"))


def test_each_event_has_a_namespace_of_its_own() -> None:
    """Alerts and decisions contain transactions; a code generator for all schemas must not see a name twice."""
    packages = {protobuf_schemas.descriptor(event).package for event in (Alert, Transaction, Label)}

    assert len(packages) == 3
    assert avro_schemas.schema(Alert)["namespace"] != avro_schemas.schema(Transaction)["namespace"]
