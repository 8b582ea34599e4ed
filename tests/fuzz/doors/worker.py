"""The decoding of the transactions topic as a worker does it: plain JSON, change events, schemas, keys and headers."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from app.adapters.cdc.change_events import MOVED, ChangeEvents
from app.adapters.cdc.transaction_decoder import Decode, decode_plain
from app.adapters.column_mapping import ColumnMapping
from app.adapters.kafka.records import Headers
from app.adapters.schema_registry.schema_cache import SchemaCache
from app.adapters.schema_registry.wire_format import HEADER, number_key
from app.adapters.schema_registry.writer_schema import WriterSchema
from app.adapters.serde.event_decoder import EventDecoder
from app.adapters.serde.json_codec import decode_transaction, encode_event
from app.adapters.topic_records import dead_letters
from app.domain.acceptance import Acceptance
from app.domain.trace_context import trace_headers
from app.domain.transaction import Transaction
from app.processing.decode_chunk import Rejected, SourceLog, StoredProfiles, decode_records
from app.processing.output_records import dead_letter
from app.rendering import dead_letter_text
from app.traffic.resend import prepare
from tests.contract.doors.values import NOW_MS, ROW
from tests.fuzz.doors import json_text
from tests.fuzz.doors.door import ACCEPTED, IGNORED, REASONS, Door
from tests.fuzz.doors.registered import AVRO_SCHEMAS, PROTOBUF_SCHEMAS, Registered
from tests.fuzz.mutations import TOKENS, mutated

TOPIC = "payments.transactions.v1"
FULL: dict[str, Any] = ROW | {
    "channel": "web", "mcc": "0742", "country": "DE", "device_id": "d1", "card_token": "k1", "latitude": 48.1,
    "longitude": 11.5,
}  # fmt: skip
_KEY = b"c1"
OUTCOMES = (REASONS - {"unreadable"}) | {ACCEPTED, IGNORED}


class Record(NamedTuple):
    """A consumed record."""

    value: bytes | None
    key: bytes | None = _KEY
    headers: Headers = ()
    topic: str = TOPIC
    partition: int = 0
    offset: int = 7
    timestamp: int = NOW_MS


def decoded(record: Record, decode: Decode) -> str:
    """What the worker makes of a record: its dead letter, where it becomes one, holds it byte for byte."""
    before = StoredProfiles({record.key or b"": 0}, [b""], set())
    trace_headers(record.headers)
    found = decode_records([record], before, SourceLog(TOPIC, 1, 0, decode), Acceptance())
    for entry in found.accepted:
        assert decode_transaction(encode_event(entry.transaction)) == entry.transaction
        return ACCEPTED
    for rejected in found.rejected:
        check_dead_letter(record, rejected)
        return rejected.error.reason.value
    return IGNORED


def check_dead_letter(record: Record, rejected: Rejected) -> None:
    """Raise AssertionError unless the dead letter, and what an operator sends again, is the record byte for byte."""
    out = dead_letter(rejected.record, rejected.error)
    stored = record._replace(key=out.key, value=out.value, headers=out.headers)
    letter = dead_letters.read(stored)
    assert (letter.key, letter.value, tuple(letter.headers)) == (
        record.key,
        record.value,
        tuple(record.headers),
    )
    assert (letter.code, letter.source_topic) == (rejected.error.reason.value, TOPIC)
    if len(record.headers) > 1:  # once for all doors: a console's text depends on no format
        dead_letter_text.as_line(letter)
        json.dumps(dead_letter_text.as_dict_with_record(letter))
    prepare(letter, TOPIC, rekey=True)


def _plain(random: Random) -> Record:
    return Record(json_text.document(FULL, random))


def _envelope(random: Random) -> Record:
    number, row = _row(random)
    operation = random.choice(('"c"', '"c"', '"c"', '"r"', '"u"', '"d"', '"t"', "null", "7", '"é"', "[]"))
    source = random.choice(('{"lsn":1}', json_text.odd(random)))
    value = f'{{"before":null,"after":{row},"op":{operation},"source":{source}}}'
    return Record(_wrapped(value, random), headers=_debezium_headers(random), partition=number)


def _flattened(random: Random) -> Record:
    marks = random.choice(
        ('"__op":"c"', '"__op":"c"', '"__op":"r"', '"__deleted":"true"', '"__op":{}', '"__deleted":[]')
    )
    number, row = _row(random, "__op", "__deleted")
    value = f"{row[:-1]}{',' if len(row) > 2 else ''}{marks}}}"
    return Record(_wrapped(value, random), headers=_debezium_headers(random), partition=number)


def _row(random: Random, *extra: str) -> tuple[int, str]:
    """The number of a mapping, and a row for it; the record's partition says the number."""
    number = random.randrange(len(MAPPINGS))
    return number, json_text.text(FULL | MAPPINGS[number][1], random, extra)


def _wrapped(value: str, random: Random) -> bytes:
    if random.random() < 0.2:
        value = f'{{"schema":{json_text.odd(random)},"payload":{value}}}'
    written = value.encode("utf-8", "surrogatepass")
    return written if random.random() < 0.6 else mutated(written, random, [written])


def _debezium_headers(random: Random) -> Headers:
    return ((MOVED, b"{}"),) if random.random() < 0.1 else ()


MAPPINGS: tuple[tuple[ColumnMapping, dict[str, Any]], ...] = (
    (ColumnMapping(), {}),
    (ColumnMapping(amount="major", time_unit="us"), {"event_time": NOW_MS * 1_000, "amount_minor": "12.50"}),
    (
        ColumnMapping(amount="major", rounding="half_even", time_unit="text"),
        {"event_time": "2026-01-01T00:00:00Z", "amount_minor": 12.5},
    ),
    (
        ColumnMapping(numeric_scale=0, time_unit="ns", currency="JPY"),
        {"event_time": NOW_MS * 10**6, "amount_minor": "BOI="},
    ),
    (ColumnMapping(amount_factor=100.0, time_unit="s"), {"event_time": NOW_MS // 1_000, "amount_minor": 12}),
)
"""Mappings with the values that a table for them has."""


def _by_mappings() -> Callable[[Record], str]:
    """Each input with the mapping that it was made for, with and without updates."""
    decoders = [
        [ChangeEvents(mapping, score_updates=updates).decode for updates in (True, False)]
        for mapping, _ in MAPPINGS
    ]
    return lambda record: decoded(record, decoders[record.partition][len(record.value or b"") % 2])


def _framed(schemas: Sequence[Registered], random: Random) -> Record:
    number = random.randrange(len(schemas))
    payload = random.choice(schemas[number].payloads)
    if random.random() < 0.85:
        payload = mutated(payload, random, schemas[number].payloads)
    if random.random() < 0.05:
        number = random.choice((number + 1, len(schemas), 2**32 - 1)) % 2**32
    prefix = number_key(number)
    if random.random() < 0.05:
        prefix = mutated(prefix, random, [prefix])
    if random.random() < 0.8:
        return Record(prefix + payload)
    index = payload[: random.choice((0, 0, 1, 2))]
    return Record(payload, headers=((HEADER, prefix + index),))


def decoder_of(schemas: Sequence[Registered]) -> Callable[[Record], str]:
    cache = SchemaCache(_Registry(schemas))
    decode = EventDecoder(Transaction, decode_plain, cache)

    def run(record: Record) -> str:
        for key in decode.missing([record]):
            cache.find_or_fetch(key)
        return decoded(record, decode)

    return run


class _Registry:
    """A registry with the schemas by their index."""

    def __init__(self, schemas: Sequence[Registered]) -> None:
        self._schemas = schemas

    def schema(self, key: bytes) -> WriterSchema | None:
        number = int.from_bytes(key[1:], "big")
        return self._schemas[number].schema if number < len(self._schemas) else None


_NAMES = (
    *(HEADER, MOVED, "traceparent", "tracestate", "content-type", "", "é", "\udcff\udc00", "a\0b", "x" * 300),
    *("__streams.errors.topic", "__streams.errors.offset", "fraud.error.code", "fraud.dlq.replayed"),
)


def _with_headers(random: Random) -> Record:
    base = random.choice((_plain, _envelope, _flattened, _avro))(random)
    headers: list[Any] = list(base.headers)
    for _ in range(random.choice((0, 1, 2, 5, 40))):
        value = random.choice(
            (None, b"", b"\0\0\0\0\0", b"\1" * 17, b"9" * 600, random.randbytes(9), random.choice(TOKENS))
        )
        headers.insert(random.randrange(len(headers) + 1), (random.choice(_NAMES), value))
    key = random.choice((_KEY, _KEY, None, b"", b"c2", b"\xff\xfe", b"\0owner", random.randbytes(70)))
    timestamp = random.choice((NOW_MS, NOW_MS, -1, 0, 2**63 - 1, -(2**63)))
    return base._replace(key=key, headers=tuple(headers), timestamp=timestamp)


def _avro(random: Random) -> Record:
    return _framed(AVRO_SCHEMAS, random)


def _protobuf(random: Random) -> Record:
    return _framed(PROTOBUF_SCHEMAS, random)


WORKER_DOORS = (
    Door("json", "JSON on the transactions topic", _plain, lambda r: decoded(r, decode_plain), OUTCOMES),
    Door("debezium", "Debezium's envelope", _envelope, _by_mappings(), OUTCOMES),
    Door("flattened", "flattened change events", _flattened, _by_mappings(), OUTCOMES),
    Door("avro", "Avro with a schema id", _avro, decoder_of(AVRO_SCHEMAS), OUTCOMES),
    Door("protobuf", "Protobuf with a schema id", _protobuf, decoder_of(PROTOBUF_SCHEMAS), OUTCOMES),
    Door("headers", "keys, headers and timestamps", _with_headers, decoder_of(AVRO_SCHEMAS), OUTCOMES),
)
