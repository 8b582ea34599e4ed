"""Schemas by their ids: asked for once, told apart when they are missing, and never in the way of what needs none."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.cdc.transaction_decoder import decode_plain
from app.adapters.schema_registry.client import Version
from app.adapters.schema_registry.registry_extra import require_extra
from app.adapters.schema_registry.schema_cache import AWAY_SECONDS, UNKNOWN_SECONDS, Absent, SchemaCache
from app.adapters.schema_registry.subjects import subjects
from app.adapters.schema_registry.wire_format import (
    HEADER,
    OF_APICURIO,
    Framed,
    framed,
    is_framed,
    message_index,
    number_key,
)
from app.adapters.schema_registry.writer_schema import AVRO, PROTOBUF, WriterSchema
from app.adapters.serde import avro_values, offline_decoder
from app.adapters.serde.event_decoder import EventDecoder
from app.adapters.serde.event_encoder import encoding, own_schema
from app.adapters.serde.registration import check, register
from app.domain.decision import Decision
from app.domain.label import Label, LabelSource
from app.domain.transaction import Transaction
from app.errors import InvalidEvent, InvalidReason, RegistryAway
from app.settings import RegistrySettings, Settings, TopicSettings
from tests.unit.clock import Clock
from tests.unit.serde.test_formats import SOUND

require_extra("this test")

from confluent_kafka import schema_registry  # noqa: E402  # warns when it is the first
from confluent_kafka.schema_registry.common.serde import SchemaId  # noqa: E402

JSON = json.dumps(SOUND).encode()
AVRO_VALUE = avro_values.writer(Transaction)(JSON)
GUID = b"\1" + bytes(range(16))


class Record(NamedTuple):
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = "fraud.decisions.v1"
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = 0


class FakeRegistry:
    """Has schemas, and is away when it is told to be."""

    def __init__(self) -> None:
        self.schemas = {number_key(7): own_schema(Transaction, "avro")}
        self.asked: list[bytes] = []
        self.away = False

    def schema(self, key: bytes) -> WriterSchema | None:
        self.asked.append(key)
        if self.away:
            raise RegistryAway("away")
        return self.schemas.get(key)


class Bench:
    def __init__(self) -> None:
        self.clock = Clock()
        self.registry = FakeRegistry()
        self.book = SchemaCache(self.registry, self.clock)
        self.decode = EventDecoder(Transaction, decode_plain, self.book)

    def learn(self, *records: Record) -> None:
        for key in self.decode.missing(records):
            self.book.learn(key)

    def reason(self, record: Record) -> InvalidReason:
        with pytest.raises(InvalidEvent) as caught:
            self.decode(record)
        return caught.value.reason


@pytest.fixture
def bench() -> Bench:
    return Bench()


BEFORE = Record(number_key(7) + AVRO_VALUE)
BESIDE = Record(AVRO_VALUE, ((HEADER, number_key(7)),))


@pytest.mark.parametrize("record", [BEFORE, BESIDE], ids=["before the value", "in the header"])
def test_a_value_is_read_with_the_schema_that_it_names(bench: Bench, record: Record) -> None:
    bench.learn(record)

    assert Transaction(**SOUND) == bench.decode(record)


def test_a_schema_is_asked_for_once_and_json_asks_for_none(bench: Bench) -> None:
    records = [
        BEFORE,
        Record(JSON),
        BESIDE,
        Record(JSON, (("traceparent", b"x"),)),
        Record(None),
        Record(b""),
    ]
    bench.learn(*records, *records)
    bench.learn(*records)

    assert [number_key(7)] == bench.registry.asked
    assert Transaction(**SOUND) == bench.decode(records[1]) == bench.decode(records[3])


def test_what_is_known_is_read_while_the_registry_is_away(bench: Bench) -> None:
    bench.learn(BEFORE)
    bench.registry.away = True

    assert [] == bench.decode.missing([BEFORE])
    assert Transaction(**SOUND) == bench.decode(BEFORE)


def test_an_unknown_id_is_told_apart_from_an_unanswered_one(bench: Bench) -> None:
    unknown, unanswered = Record(number_key(8) + AVRO_VALUE), Record(GUID, ((HEADER, GUID),))
    bench.learn(unknown)
    bench.book.give_up(GUID)

    assert (InvalidReason.UNKNOWN_SCHEMA, InvalidReason.REGISTRY_AWAY) == (
        bench.reason(unknown),
        bench.reason(unanswered),
    )


def test_an_id_that_was_unknown_is_asked_for_again_after_a_while(bench: Bench) -> None:
    late = Record(number_key(8) + AVRO_VALUE)
    bench.learn(late)
    bench.registry.schemas[number_key(8)] = own_schema(Transaction, "avro")
    bench.clock.seconds += UNKNOWN_SECONDS - 1
    assert [] == bench.decode.missing([late])

    bench.clock.seconds += 2
    bench.learn(late)
    assert Transaction(**SOUND) == bench.decode(late)


def test_one_that_was_given_up_is_asked_for_sooner(bench: Bench) -> None:
    bench.book.give_up(number_key(7))
    assert [] == bench.decode.missing([BEFORE])
    bench.clock.seconds += AWAY_SECONDS + 1

    assert [number_key(7)] == bench.decode.missing([BEFORE])
    assert Absent.AWAY is bench.book.last_known(number_key(7))


@pytest.mark.parametrize(
    "record",
    [
        Record(b"\0"),
        Record(b"\0\0\0\0"),
        Record(JSON, ((HEADER, b""),)),
        Record(JSON, ((HEADER, b"\2" * 9),)),
        *(
            Record(value, ((name, b"\0" * 8),))
            for name in OF_APICURIO
            for value in (JSON, AVRO_VALUE, BEFORE.value)
        ),
    ],
)
def test_an_id_that_is_none_needs_no_registry(bench: Bench, record: Record) -> None:
    assert [] == bench.decode.missing([record])
    assert InvalidReason.UNKNOWN_SCHEMA == bench.reason(record)


@given(
    value=st.none() | st.binary(max_size=30),
    header=st.none() | st.binary(max_size=30),
)
def test_any_value_is_taken_apart_or_invalid(value: bytes | None, header: bytes | None) -> None:
    headers = () if header is None else ((HEADER, header),)
    if not is_framed(value, headers):
        assert header is None
        assert not (value or b"x").startswith(b"\0")
        return
    try:
        found = framed(value, headers)
        message_index(found)
    except InvalidEvent:
        return
    assert len(found.schema) in {5, 17}


def test_an_id_in_a_header_of_apicurio_is_refused_with_the_remedy() -> None:
    """It counts in another way than the ids before values, so it must not be taken for one."""
    with pytest.raises(InvalidEvent, match=r"headers\.enabled=false, as-confluent=true and use-id=contentId"):
        framed(AVRO_VALUE, (("apicurio.value.encoding", b"BINARY"), ("apicurio.value.globalId", b"\0" * 8)))
    assert not is_framed(JSON, (("apicurio.value.encoding", b"BINARY"),))


@given(place=st.lists(st.integers(0, 1000), min_size=1, max_size=5))
def test_the_index_of_a_message_is_read_as_confluent_writes_it(place: list[int]) -> None:
    written = SchemaId("PROTOBUF", 7, None, place).id_to_bytes()

    assert (place, b"rest") == message_index(framed(written + b"rest", ()))
    assert (place, b"rest") == message_index(framed(b"rest", ((HEADER, written),)))


def test_the_official_header_is_ours() -> None:
    assert schema_registry._VALUE_SCHEMA_ID == HEADER


class Subjects(FakeRegistry):
    """A registry with subjects; ``objecting`` finds every change incompatible."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, list[WriterSchema]] = {}
        self.levels: dict[str, str] = {}
        self.objecting = False

    def newest(self, subject: str) -> Version | None:
        found = self.versions.get(subject)
        return Version(len(found), len(found), found[-1]) if found else None

    def id_of(self, subject: str, schema: WriterSchema) -> int | None:
        found = self.versions.get(subject, [])
        return found.index(schema) + 1 if schema in found else None

    def register(self, subject: str, schema: WriterSchema) -> int | None:
        if schema not in self.versions.setdefault(subject, []):
            self.versions[subject].append(schema)
        return self.id_of(subject, schema)

    def level(self, subject: str) -> str | None:
        return self.levels.get(subject)

    def set_level(self, subject: str, level: str) -> None:
        self.levels[subject] = level

    def objections(self, subject: str, schema: WriterSchema) -> list[str] | None:  # noqa: ARG002  # a registry's
        return ["a field is gone"] if self.objecting else []


ALERTS = subjects(TopicSettings())["alerts"]


def test_registering_sets_the_level_and_checking_finds_it_right() -> None:
    registry = Subjects()
    assert (None, []) == (check(registry, ALERTS, "avro").newest, check(registry, ALERTS, "avro").problems)

    done = register(registry, ALERTS, "avro")
    assert ("fraud.alerts.v1-value", "FULL", 1, 1, []) == (
        done.subject, done.level, done.newest, done.id, done.problems
    )  # fmt: skip
    assert done == check(registry, ALERTS, "avro") == register(registry, ALERTS, "avro")


def test_an_incompatible_schema_is_a_problem_and_stays_out() -> None:
    registry = Subjects()
    older = WriterSchema(AVRO, "older")
    registry.register(ALERTS.name, older)
    registry.set_level(ALERTS.name, "FULL")
    registry.objecting = True

    assert ["not compatible with version 1: a field is gone"] == check(registry, ALERTS, "avro").problems
    assert register(registry, ALERTS, "avro").problems
    assert [older] == registry.versions[ALERTS.name]


def test_another_level_and_another_format_are_problems_too() -> None:
    registry = Subjects()
    registry.register(ALERTS.name, own_schema(ALERTS.event, "avro"))

    (problem,) = check(registry, ALERTS, "avro").problems
    assert "not FULL" in problem
    assert "choose the other --format" in " ".join(check(registry, ALERTS, "protobuf").problems)
    assert PROTOBUF == own_schema(Label, "protobuf").kind


@pytest.mark.parametrize("form", ["avro", "protobuf"])
@pytest.mark.parametrize("place", ["value", "header"])
def test_what_is_published_names_its_schema(form: Any, place: Any) -> None:
    settings = RegistrySettings(url="http://127.0.0.1:1", output_format=form, schema_id_in=place)
    written = encoding(Label, settings, 7)
    value = written.encode(Label(
        transaction_id="t", customer_id="c", terminal_id="m", event_time=1, reported_at=2, is_fraud=True,
        source=LabelSource.ANALYST,
    ))  # fmt: skip

    found = framed(value, written.headers)
    assert number_key(7) == found.schema
    assert (place == "header") == (found.message_index is not None)
    assert ("content-type", f"application/{form}".encode()) in written.headers


def test_a_reader_beside_the_workers_needs_the_registry_only_for_what_needs_it() -> None:
    read = offline_decoder.readable(Settings())

    assert b"{}" == read(Record(b"{}", (("ce_id", b"1"),)))
    assert BEFORE.value == read(BEFORE._replace(topic="another"))
    assert BEFORE.value == read(BEFORE)  # tests/unit/loops/test_schema_ids.py holds what is logged then


def test_a_decision_is_read_as_it_would_be_published_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = FakeRegistry()
    registry.schemas[number_key(9)] = own_schema(Decision, "avro")
    monkeypatch.setattr("app.adapters.schema_registry.client.RegistryClient", lambda _: registry)
    read = offline_decoder.readable(Settings(registry=RegistrySettings(url="http://127.0.0.1:1")))
    decision = {name: value for name, value in DECISION.items() if name != "x"}
    payload = avro_values.writer(Decision)(json.dumps(decision).encode())

    found = read(Record(number_key(9) + payload))
    assert decision == json.loads(found or b"")
    garbage = Record(number_key(9) + b"\xff")
    assert garbage.value == read(garbage)


DECISION: dict[str, Any] = {
    **dict.fromkeys(("decision_id", "transaction_id", "customer_id", "catalog"), "x"),
    "event_time": 1,
    "scored_at": 2,
    "score": 0.0,
    "outcome": "approve",
    "thresholds": {"review": 0.1, "decline": 0.2},
    "model": {"name": "n", "version": "1", "digest": "d"},
    "features": [1.0, None],
    "source": {"topic": "t", "partition": 0, "offset": 0},
    "transaction": SOUND,
    "degraded": [],
    "rules": [],
    "reasons": [],
    "shadow": {"m": 0.5},
    "policy": None,
    "lists_offset": None,
    "outcome_by": "band",
    "fired": [],
    "holdout": None,
}


def test_a_value_taken_apart_is_three_things() -> None:
    assert Framed(number_key(7), None, AVRO_VALUE) == framed(BEFORE.value, ())
