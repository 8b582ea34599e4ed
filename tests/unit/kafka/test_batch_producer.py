"""BatchProducer: order and timing of the batches that it passes to the Kafka client, which is a fake here."""

import asyncio
import struct
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, cast

import pytest
from aiokafka.errors import InvalidTimestampError, MessageSizeTooLargeError, ProducerFenced

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.producer_identity import ProducerIdentity
from app.adapters.kafka.records import Headers, OutRecord, TopicBatch, claimed_topic_id
from app.errors import ClockWrong, Fenced, SendFailed
from app.settings import KafkaSettings
from app.streaming.monitoring.clock_watch import ClockWatch

LARGE = OutRecord(b"k", bytes(100_000))
SMALL = OutRecord(b"k", b"v")
BATCH_HEADER_BYTES = 61


class Batch:
    """A batch of at most three records."""

    def __init__(self, journal: list[str]) -> None:
        self.values: list[bytes | None] = []
        self.headers: list[Headers] = []
        self._journal = journal
        self._bytes: bytearray | None = None

    def append(self, value: bytes | None, headers: Headers, **_: Any) -> object | None:
        if len(self.values) == 3:
            return None
        self.values.append(value)
        self.headers.append(headers)
        return self.values

    def close(self) -> None: ...

    def size(self) -> int:
        return sum(len(value or b"") for value in self.values)

    def record_count(self) -> int:
        return len(self.values)

    def _build(self) -> bytearray:
        if self._bytes is None:
            self._journal.append("compressed")
            self._bytes = bytearray(BATCH_HEADER_BYTES)
        return self._bytes


class ManualExecutor(Executor):
    """Runs each submitted task when the test calls ``run_one``."""

    def __init__(self) -> None:
        self._submitted: list[tuple[Callable[..., Any], Future[Any]]] = []

    def submit(self, task: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        done: Future[Any] = Future()
        self._submitted.append((task, done))
        return done

    def run_one(self) -> None:
        task, done = self._submitted.pop(0)
        try:
            done.set_result(task())
        except MemoryError as error:
            done.set_exception(error)


class Answer(NamedTuple):
    offset: int
    timestamp: int = -1
    timestamp_type: int = 0


class Producer:
    """A fake aiokafka producer that acknowledges at once."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.headers: list[Headers] = []
        """Of each record."""
        self.identities: list[tuple[int, int, int]] = []
        """Producer id, epoch and first sequence number of each batch."""
        self.next_offset: dict[tuple[str, int], int] = {}
        self.append_times: dict[str, int] = {}
        """By topic whose timestamps are the broker's."""

    def create_batch(self) -> Batch:
        return Batch(self.journal)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Answer]:
        self.journal.append(f"{topic} sent")
        self.headers += batch.headers
        self.identities.append(identity_of(batch))
        first = self.next_offset.get((topic, partition), 0)
        self.next_offset[topic, partition] = first + batch.record_count()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        own = self.append_times.get(topic)
        answer.set_result(Answer(first) if own is None else Answer(first, own, 1))
        return answer

    async def stop(self) -> None: ...


def identity_of(batch: Batch) -> tuple[int, int, int]:
    found: tuple[int, int, int] = struct.unpack_from(">qhi", batch._build(), 43)
    return found


class Ids:
    """Gives out producer ids from 1 on; each name has the id 1,000 and its next epoch."""

    def __init__(self) -> None:
        self._given = 0
        self._epochs: Counter[str] = Counter()

    async def new(self) -> ProducerIdentity:
        self._given += 1
        return ProducerIdentity(self._given, 0)

    async def take_over(self, name: str) -> ProducerIdentity:
        self._epochs[name] += 1
        return ProducerIdentity(1_000, self._epochs[name])

    async def renew(self, name: str, current: ProducerIdentity) -> ProducerIdentity:
        if current.epoch != self._epochs[name]:
            raise ProducerFenced
        return await self.take_over(name)


@pytest.fixture
def producer() -> Producer:
    return Producer()


@pytest.fixture
def executor() -> ManualExecutor:
    return ManualExecutor()


@pytest.fixture
async def sender(producer: Producer, executor: ManualExecutor) -> Any:
    made = BatchProducer(KafkaSettings())
    made._producer = producer
    made._pool = cast(Any, executor)
    made._ids = Ids()
    yield made
    await made.stop()


async def until_idle() -> None:
    """Run the event loop until no task can proceed."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_send_returns_the_last_offset_of_each_batch_and_minus_one_for_an_empty_one(
    sender: BatchProducer,
) -> None:
    outputs = [
        TopicBatch("a", 0, [SMALL, SMALL]),
        TopicBatch("b", 0, []),
        TopicBatch("a", 0, [SMALL]),
        TopicBatch("a", 1, [SMALL]),
    ]

    assert await sender.send_all(outputs) == [1, -1, 2, 0]
    assert await sender.send("a", 0, [SMALL]) == 3


async def test_a_small_batch_is_sent_without_compression_in_the_pool(
    sender: BatchProducer, producer: Producer
) -> None:
    await sender.send_all([TopicBatch("a", 0, [SMALL])])

    assert producer.journal == ["compressed", "a sent"]


async def test_concurrent_sends_reach_the_client_together_once_all_are_compressed(
    sender: BatchProducer, producer: Producer, executor: ManualExecutor
) -> None:
    """The client sends its first batch at once and the next only after the acknowledgement."""
    sending = asyncio.gather(
        sender.send_all([TopicBatch("decisions", 0, [LARGE]), TopicBatch("alerts", 0, [SMALL])]),
        sender.send_all([TopicBatch("changelog", 0, [LARGE]), TopicBatch("changelog", 1, [LARGE])]),
    )
    for compressed in range(1, 4):  # the small one is compressed at once
        await until_idle()
        assert producer.journal == ["compressed"] * compressed
        executor.run_one()

    assert list(await sending) == [[0, 0], [0, 0]]
    assert producer.journal[:4] == ["compressed"] * 4
    assert sorted(producer.journal[4:]) == [
        "alerts sent",
        "changelog sent",
        "changelog sent",
        "decisions sent",
    ]


async def test_every_partition_gets_its_first_batch_before_any_gets_its_second(
    sender: BatchProducer, producer: Producer
) -> None:
    """The client accepts a partition's second batch only after the first has left; waiting would delay other partitions."""
    offsets = await sender.send_all(
        [TopicBatch("a", 0, [SMALL] * 7), TopicBatch("b", 0, [SMALL] * 4), TopicBatch("c", 0, [SMALL])]
    )

    assert offsets == [6, 3, 0]
    assert producer.journal[6:] == [f"{topic} sent" for topic in ("a", "b", "c", "a", "b", "a")]


async def test_a_batch_that_cannot_be_compressed_is_not_sent(
    sender: BatchProducer, producer: Producer, executor: ManualExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Batch) -> None:
        raise MemoryError

    monkeypatch.setattr(Batch, "_build", broken)
    sending = asyncio.create_task(sender.send_all([TopicBatch("decisions", 0, [LARGE])]))
    await until_idle()
    executor.run_one()

    with pytest.raises(MemoryError):
        await sending
    assert producer.journal == []


class Paused(Exception):
    """Raised by a guard."""


async def test_a_guard_that_fails_during_compression_prevents_the_send(
    sender: BatchProducer, producer: Producer, executor: ManualExecutor
) -> None:
    paused = False

    def guard() -> None:
        if paused:
            raise Paused

    sending = asyncio.create_task(sender.send_all([TopicBatch("changelog", 0, [LARGE])], guard))
    await until_idle()
    paused = True
    executor.run_one()

    with pytest.raises(Paused):
        await sending
    assert producer.journal == ["compressed"]


async def test_a_guard_that_fails_between_two_batches_prevents_the_second(
    sender: BatchProducer, producer: Producer
) -> None:
    def guard() -> None:
        if "a sent" in producer.journal:
            raise Paused

    with pytest.raises(Paused):
        await sender.send_all([TopicBatch("a", 0, [SMALL]), TopicBatch("b", 0, [SMALL])], guard)
    assert producer.journal == ["compressed", "compressed", "a sent"]


async def test_the_guard_is_checked_even_without_a_batch(sender: BatchProducer) -> None:
    def guard() -> None:
        raise Paused

    with pytest.raises(Paused):
        await sender.send_all([], guard)


async def test_a_failed_send_names_the_partition(
    sender: BatchProducer, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise MessageSizeTooLargeError

    monkeypatch.setattr(producer, "send_batch", refuse)

    with pytest.raises(SendFailed, match="decisions-3"):
        await sender.send("decisions", 3, [SMALL])


async def test_batches_of_a_partition_have_consecutive_sequence_numbers(
    sender: BatchProducer, producer: Producer
) -> None:
    await sender.send_all([TopicBatch("a", 0, [SMALL] * 5), TopicBatch("a", 1, [SMALL])])
    await sender.send("a", 0, [SMALL])

    assert producer.identities == [(1, 0, 0), (1, 0, 0), (1, 0, 3), (1, 0, 5)]


async def test_a_claim_is_the_first_record_of_a_new_epoch(sender: BatchProducer, producer: Producer) -> None:
    await sender.claim("changelog", [2])
    await sender.send("changelog", 2, [SMALL])
    await sender.send("changelog", 3, [SMALL])
    await sender.claim("changelog", [2])

    assert producer.identities == [(1_000, 1, 0), (1_000, 1, 1), (1, 0, 0), (1_000, 2, 0)]


async def test_a_claim_names_the_id_of_its_topic(sender: BatchProducer, producer: Producer) -> None:
    """A copy of the topic, which has another id, is recognised by it."""
    sender.name_in_claims("changelog", "1a2b")
    await sender.claim("changelog", [2])
    await sender.send("changelog", 2, [SMALL])

    assert ["1a2b", ""] == [claimed_topic_id(headers) for headers in producer.headers]


async def test_outputs_are_sent_under_the_claim_of_their_partition(
    sender: BatchProducer, producer: Producer
) -> None:
    sender.share_claims("changelog", ["decisions"])
    await sender.claim("changelog", [2])
    await sender.send_all([TopicBatch("decisions", 2, [SMALL]), TopicBatch("decisions", 3, [SMALL])])

    assert producer.identities == [(1_000, 1, 0), (1_000, 1, 0), (1, 0, 0)]


async def test_a_renewed_claim_begins_a_new_epoch_without_a_record(
    sender: BatchProducer, producer: Producer
) -> None:
    await sender.claim("changelog", [2])
    await sender.renew_claims()
    assert len(producer.identities) == 1

    await sender.send("changelog", 2, [SMALL])
    assert producer.identities[1:] == [(1_000, 2, 0)]


async def test_a_claim_that_another_worker_has_taken_over_is_not_renewed(sender: BatchProducer) -> None:
    await sender.claim("changelog", [2])
    await cast(Any, sender)._ids.take_over("changelog-2")

    with pytest.raises(Fenced, match="changelog-2"):
        await sender.renew_claims()


async def test_a_partition_that_another_worker_has_claimed_is_named(
    sender: BatchProducer, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise ProducerFenced

    monkeypatch.setattr(producer, "send_batch", refuse)

    with pytest.raises(Fenced, match="changelog-3"):
        await sender.send("changelog", 3, [SMALL])


async def test_after_a_failed_send_the_next_one_has_a_new_identity(
    sender: BatchProducer, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failed batch may be missing in its partition, which would refuse the sequence numbers behind it."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise MessageSizeTooLargeError

    with monkeypatch.context() as patched:
        patched.setattr(producer, "send_batch", refuse)
        with pytest.raises(SendFailed):
            await sender.send("decisions", 3, [SMALL])
    await sender.send("decisions", 3, [SMALL])

    assert producer.identities == [(2, 0, 0)]


async def test_the_brokers_time_is_passed_on_where_a_topic_stores_it(producer: Producer) -> None:
    """The claim of a changelog partition tells it before the first decision."""
    times: list[int] = []
    sender = BatchProducer(KafkaSettings(), lambda _, broker_ms: times.append(broker_ms))
    sender._producer, sender._ids = producer, Ids()
    producer.append_times["changelog"] = 1_760_000_000_000

    await sender.send("decisions", 0, [OutRecord(b"k", b"v")])
    assert times == []
    await sender.claim("changelog", [0])
    await sender.stop()

    assert times == [1_760_000_000_000]


async def test_a_wrong_clock_fails_the_claim(producer: Producer) -> None:
    watch = ClockWatch(60.0, time.time, time.monotonic)
    sender = BatchProducer(KafkaSettings(), watch.observe)
    sender._producer, sender._ids = producer, Ids()
    producer.append_times["changelog"] = round(time.time() * 1000) - 3_600_000

    with pytest.raises(ClockWrong, match="ahead of the brokers"):
        await sender.claim("changelog", [0])
    await sender.stop()


async def test_a_refused_timestamp_names_the_clock(
    sender: BatchProducer, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise InvalidTimestampError

    monkeypatch.setattr(producer, "send_batch", refuse)
    with pytest.raises(SendFailed, match="Synchronize the clocks"):
        await sender.send("decisions", 0, [OutRecord(b"k", b"v")])
