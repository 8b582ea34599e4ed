"""A thousand messages that can never be scored, among ten thousand good ones: each is kept, none does harm."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer

from app.domain.transaction import Transaction
from tests.support.deployment import Deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

GOOD, BAD = 10_000, 1_000
HUGE = 5
KEEPERS_KEY = "__faust\0offset__"
"""Under this key Faust's store keeps its position in the changelog, beside the profiles."""
TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


class Message(NamedTuple):
    """A record to send; ``code`` is the expected code of its dead letter, empty for a valid record."""

    key: bytes | None
    value: bytes | None
    code: str = ""
    kind: str = ""


def changed(**fields: Any) -> Callable[[dict[str, Any]], Message]:
    """A transaction with other fields, under the key that it was meant for; None takes a field away."""

    def make(good: dict[str, Any]) -> Message:
        merged = {name: value for name, value in (good | fields).items() if value is not None}
        return Message(good["customer_id"].encode(), json.dumps(merged).encode())

    return make


def raw(value: Callable[[bytes], bytes | None]) -> Callable[[dict[str, Any]], Message]:
    """Other bytes, under the key of the transaction they were made from."""
    return lambda good: Message(good["customer_id"].encode(), value(json.dumps(good).encode()))


def keyed(key: bytes | None) -> Callable[[dict[str, Any]], Message]:
    """A sound transaction under another key than its customer's."""
    return lambda good: Message(key, json.dumps(good).encode())


def in_a_year() -> int:
    return time.time_ns() // 1_000_000 + 365 * 86_400_000


KINDS: dict[str, tuple[str, Callable[[dict[str, Any]], Message]]] = {
    "not JSON": ("not_json", raw(lambda _: b"<transaction/>")),
    "empty": ("not_json", raw(lambda _: b"")),
    "truncated": ("not_json", raw(lambda value: value[:-20])),
    "tombstone": ("not_json", raw(lambda _: None)),
    "bad UTF-8": ("not_json", raw(lambda value: value.replace(b"EUR", b"E\xff\xfe"))),
    "not a number": ("not_json", raw(lambda value: value.replace(b'"EUR"', b"NaN"))),
    "deep nesting": (
        "not_json",
        raw(lambda value: value[:-1] + b',"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ),
    "null": ("wrong_type", raw(lambda _: b"null")),
    "an array": ("wrong_type", raw(lambda value: b"[" + value + b"]")),
    "wrong type": ("wrong_type", changed(amount_minor="100")),
    "a float for an amount": ("wrong_type", changed(amount_minor=100.5)),
    "missing field": ("missing_field", changed(terminal_id=None)),
    "half a location": ("missing_field", changed(latitude=48.1)),
    "negative amount": ("out_of_range", changed(amount_minor=-1)),
    "enormous amount": ("out_of_range", changed(amount_minor=10**30)),
    "unknown currency form": ("out_of_range", changed(currency="euro")),
    "identifier too long": ("out_of_range", changed(device_id="d" * 65)),
    "no identifier": ("out_of_range", changed(transaction_id="")),
    "another key": ("key_mismatch", keyed(b"another-customer")),
    "no key": ("key_mismatch", keyed(None)),
    "empty key": ("key_mismatch", keyed(b"")),
    "key that is no text": ("key_mismatch", keyed(b"\xff\x00")),
    "the store's own key": ("key_mismatch", keyed(KEEPERS_KEY.encode())),
    "future time": ("future_time", changed(event_time=in_a_year())),
    "microseconds": ("future_time", changed(event_time=1_760_000_000_000_000)),
    "seconds": ("absurd_time", changed(event_time=1_760_000_000)),
    "time before all times": ("absurd_time", changed(event_time=-(2**62))),
    "card number as channel": ("card_number", changed(channel="4111 1111 1111 1111")),
    "card number as token": ("card_number", changed(card_token="x 5500-0000-0000-0004")),  # noqa: S106  # a card scheme's test number
}
HUGE_KIND = ("out_of_range", changed(terminal_id="t" * 900_000))


def bad_messages() -> Iterable[Message]:
    """A thousand, the kinds in turn, and among them some that are as large as a message may be."""
    kinds = list(KINDS.items())
    for number, transaction in enumerate(traffic(BAD, seed=11, prefix="bad")):
        fields = json.loads(encode(transaction))
        kind, (code, make) = kinds[number % len(kinds)]
        if number < HUGE:
            kind, (code, make) = "huge", HUGE_KIND
        yield make(fields)._replace(code=code, kind=kind)


FIELDS = ("transaction_id", "customer_id", "terminal_id", "event_time", "amount_minor", "currency")


def good_messages() -> Iterable[Message]:
    for transaction in traffic(GOOD, seed=12, prefix="good"):
        yield Message(transaction.customer_id.encode(), encode(transaction))


def encode(transaction: Transaction, **changes: Any) -> bytes:
    return json.dumps({name: getattr(transaction, name) for name in FIELDS} | changes).encode()


async def send(deployment: Deployment, messages: list[Message]) -> dict[tuple[int, int], Message]:
    """Each message by its position in the source log."""
    topic, now_ms = deployment.settings.topics.transactions, time.time_ns() // 1_000_000
    async with AIOKafkaProducer(
        bootstrap_servers=deployment.servers, compression_type="zstd", max_request_size=2**21
    ) as producer:
        sent = []
        for number, message in enumerate(messages):
            headers = [TRACE, ("number", str(number).encode()), ("number", b""), ("\N{SNOWMAN}", b"\xff")]
            future = await producer.send(
                topic, key=message.key, value=message.value, headers=headers, timestamp_ms=now_ms - number
            )
            sent.append((message, future))
        placed = [(message, await future) for message, future in sent]
    return {(position.partition, position.offset): message for message, position in placed}


async def test_every_bad_message_becomes_a_dead_letter_and_every_good_one_a_decision(
    deployment: Deployment,
) -> None:
    worker = deployment.worker()
    worker.start()
    worker.wait_started()
    pid = worker.pid
    messages = [*bad_messages(), *good_messages()]
    Random(13).shuffle(messages)

    sent = await send(deployment, messages)
    await deployment.drained()

    topics = deployment.settings.topics
    source = {
        (record.partition, record.offset): record for record in await deployment.read(topics.transactions)
    }
    dead_letters = await deployment.read(topics.dead_letters)
    decisions = await deployment.decisions()
    origins = []
    for dead_letter in dead_letters:
        errors = {name: value.decode() for name, value in dead_letter.headers[4:]}
        origin = (int(errors["__streams.errors.partition"]), int(errors["__streams.errors.offset"]))
        record = source[origin]
        assert (record.key, record.value, record.timestamp) == (
            dead_letter.key,
            dead_letter.value,
            dead_letter.timestamp,
        )
        assert tuple(record.headers) == tuple(dead_letter.headers[:4])
        assert topics.transactions == errors["__streams.errors.topic"]
        assert (sent[origin].kind, sent[origin].code) == (sent[origin].kind, errors["fraud.error.code"])
        origins.append(origin)
    assert Counter(position for position, message in sent.items() if message.code) == Counter(origins)
    assert len(origins) == BAD
    assert {json.loads(message.value or b"")["transaction_id"] for message in good_messages()} == set(
        decisions
    )
    assert {1} == set(map(len, decisions.values()))
    assert (worker.pid, worker.running) == (pid, True)
    assert [
        word for word in ("Traceback", "Restart", "restart", "raised", "fail_stop") if worker.lines_with(word)
    ] == []
    assert worker.terminate() == 0


async def test_a_message_under_the_stores_own_key_does_no_harm(deployment: Deployment) -> None:
    """Faust's store keeps its position in the changelog under a key of its own; any producer may send that key."""
    first, second = traffic(2, seed=14)
    key = KEEPERS_KEY.encode()
    worker = deployment.worker()
    worker.start()
    await send(deployment, [Message(first.customer_id.encode(), encode(first))])
    await deployment.drained()
    worker.kill()
    worker.start()

    await send(deployment, [Message(key, b"{}"), Message(key, encode(second, customer_id=KEEPERS_KEY))])
    await deployment.drained()

    worker.kill()
    worker.start()
    await send(deployment, [Message(key, b"{}")])
    await deployment.drained()
    assert {first.transaction_id, second.transaction_id} == set(await deployment.decisions())
    assert worker.terminate() == 0
