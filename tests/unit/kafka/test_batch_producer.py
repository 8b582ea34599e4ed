"""How the sender hands its batches to the Kafka client, which is pretended here."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple, cast

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord, TopicBatch
from app.errors import SendFailed
from app.settings import KafkaSettings

LARGE = OutRecord(b"k", bytes(100_000))
SMALL = OutRecord(b"k", b"v")


class Batch:
    """Has room for three records."""

    def __init__(self, journal: list[str]) -> None:
        self.values: list[bytes] = []
        self._journal = journal

    def append(self, value: bytes, **_: Any) -> object | None:
        if len(self.values) == 3:
            return None
        self.values.append(value)
        return self.values

    def close(self) -> None: ...

    def size(self) -> int:
        return sum(map(len, self.values))

    def record_count(self) -> int:
        return len(self.values)

    def _build(self) -> None:
        self._journal.append("compressed")


class Hands(Executor):
    """Does what it was given when it is told to."""

    def __init__(self) -> None:
        self._given: list[tuple[Callable[..., Any], Future[Any]]] = []

    def submit(self, task: Callable[..., Any], /, *_: Any, **__: Any) -> Future[Any]:
        done: Future[Any] = Future()
        self._given.append((task, done))
        return done

    def do_one(self) -> None:
        task, done = self._given.pop(0)
        try:
            done.set_result(task())
        except MemoryError as error:
            done.set_exception(error)


class Answer(NamedTuple):
    offset: int


class Producer:
    """Acknowledges at once."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.next_offset: dict[tuple[str, int], int] = {}

    def create_batch(self) -> Batch:
        return Batch(self.journal)

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Answer]:
        self.journal.append(f"{topic} handed over")
        first = self.next_offset.get((topic, partition), 0)
        self.next_offset[topic, partition] = first + batch.record_count()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        answer.set_result(Answer(first))
        return answer

    async def stop(self) -> None: ...


@pytest.fixture
def producer() -> Producer:
    return Producer()


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def sender(producer: Producer, hands: Hands) -> Any:
    made = BatchProducer(KafkaSettings())
    made._producer = producer
    made._pool = cast(Any, hands)
    yield made
    await made.stop()


async def until_idle() -> None:
    """Everything that can go on has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_last_offset_of_each_output_is_told_and_none_of_an_empty_one(sender: BatchProducer) -> None:
    outputs = [
        TopicBatch("a", 0, [SMALL, SMALL]),
        TopicBatch("b", 0, []),
        TopicBatch("a", 0, [SMALL]),
        TopicBatch("a", 1, [SMALL]),
    ]

    assert await sender.send_all(outputs) == [1, -1, 2, 0]
    assert await sender.send("a", 0, [SMALL]) == 3


async def test_small_batches_wait_for_nothing(sender: BatchProducer, producer: Producer) -> None:
    await sender.send_all([TopicBatch("a", 0, [SMALL])])

    assert producer.journal == ["a handed over"]


async def test_what_is_sent_together_is_handed_over_together_when_all_of_it_is_compressed(
    sender: BatchProducer, producer: Producer, hands: Hands
) -> None:
    """The client sends the first that it gets at once, and the next only when that was answered."""
    sending = asyncio.gather(
        sender.send_all([TopicBatch("decisions", 0, [LARGE]), TopicBatch("alerts", 0, [SMALL])]),
        sender.send_all([TopicBatch("changelog", 0, [LARGE]), TopicBatch("changelog", 1, [LARGE])]),
    )
    for compressed in range(3):
        await until_idle()
        assert producer.journal == ["compressed"] * compressed
        hands.do_one()

    assert list(await sending) == [[0, 0], [0, 0]]
    assert producer.journal[:3] == ["compressed"] * 3
    assert sorted(producer.journal[3:]) == [
        "alerts handed over",
        "changelog handed over",
        "changelog handed over",
        "decisions handed over",
    ]


async def test_every_partition_gets_its_first_batch_before_any_gets_its_second(
    sender: BatchProducer, producer: Producer
) -> None:
    """The client takes a partition's second batch when its first has left, and who waits for that holds up the others."""
    offsets = await sender.send_all(
        [TopicBatch("a", 0, [SMALL] * 7), TopicBatch("b", 0, [SMALL] * 4), TopicBatch("c", 0, [SMALL])]
    )

    assert offsets == [6, 3, 0]
    assert producer.journal == [f"{topic} handed over" for topic in ("a", "b", "c", "a", "b", "a")]


async def test_a_batch_that_cannot_be_compressed_is_not_handed_over(
    sender: BatchProducer, producer: Producer, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Batch) -> None:
        raise MemoryError

    monkeypatch.setattr(Batch, "_build", broken)
    sending = asyncio.create_task(sender.send_all([TopicBatch("decisions", 0, [LARGE])]))
    await until_idle()
    hands.do_one()

    with pytest.raises(MemoryError):
        await sending
    assert producer.journal == []


class Paused(Exception):
    """What a guard raises."""


async def test_a_worker_that_was_paused_while_it_compressed_hands_nothing_over(
    sender: BatchProducer, producer: Producer, hands: Hands
) -> None:
    paused = False

    def guard() -> None:
        if paused:
            raise Paused

    sending = asyncio.create_task(sender.send_all([TopicBatch("changelog", 0, [LARGE])], guard))
    await until_idle()
    paused = True
    hands.do_one()

    with pytest.raises(Paused):
        await sending
    assert producer.journal == ["compressed"]


async def test_a_worker_that_was_paused_between_two_batches_hands_over_no_more(
    sender: BatchProducer, producer: Producer
) -> None:
    def guard() -> None:
        if producer.journal:
            raise Paused

    with pytest.raises(Paused):
        await sender.send_all([TopicBatch("a", 0, [SMALL]), TopicBatch("b", 0, [SMALL])], guard)
    assert producer.journal == ["a handed over"]


async def test_a_worker_that_was_paused_is_told_even_if_it_has_nothing_to_send(sender: BatchProducer) -> None:
    def guard() -> None:
        raise Paused

    with pytest.raises(Paused):
        await sender.send_all([], guard)


async def test_a_send_that_fails_says_where(
    sender: BatchProducer, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise MessageSizeTooLargeError

    monkeypatch.setattr(producer, "send_batch", refuse)

    with pytest.raises(SendFailed, match="decisions-3"):
        await sender.send("decisions", 3, [SMALL])
