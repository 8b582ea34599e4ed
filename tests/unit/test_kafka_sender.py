"""How the sender hands its batches to the Kafka client, which is pretended here."""

import asyncio
import time
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from app.adapters.kafka_sender import KafkaSender, Output, OutRecord
from app.errors import SendFailed
from app.settings import KafkaSettings

LARGE = OutRecord(b"k", bytes(100_000))
SMALL = OutRecord(b"k", b"v")


class Batch:
    """Takes a while to compress."""

    def __init__(self, journal: list[str]) -> None:
        self.values: list[bytes] = []
        self._journal = journal

    def append(self, value: bytes, **_: Any) -> object:
        self.values.append(value)
        return self.values

    def close(self) -> None: ...

    def size(self) -> int:
        return sum(map(len, self.values))

    def record_count(self) -> int:
        return len(self.values)

    def _build(self) -> None:
        time.sleep(0.01)
        self._journal.append("compressed")


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
async def sender(producer: Producer) -> Any:
    made = KafkaSender(KafkaSettings())
    made._producer = producer
    yield made
    await made.stop()


async def test_the_last_offset_of_each_output_is_told_and_none_of_an_empty_one(sender: KafkaSender) -> None:
    outputs = [
        Output("a", 0, [SMALL, SMALL]),
        Output("b", 0, []),
        Output("a", 0, [SMALL]),
        Output("a", 1, [SMALL]),
    ]

    assert await sender.send_all(outputs) == [1, -1, 2, 0]
    assert await sender.send("a", 0, [SMALL]) == 3


async def test_small_batches_wait_for_nothing(sender: KafkaSender, producer: Producer) -> None:
    await sender.send_all([Output("a", 0, [SMALL])])

    assert producer.journal == ["a handed over"]


async def test_what_is_sent_together_is_handed_over_together_when_all_of_it_is_compressed(
    sender: KafkaSender, producer: Producer
) -> None:
    """The client sends the first that it gets at once, and the next only when that was answered."""
    await asyncio.gather(
        sender.send_all([Output("decisions", 0, [LARGE]), Output("alerts", 0, [SMALL])]),
        sender.send_all([Output("changelog", 0, [LARGE]), Output("changelog", 1, [LARGE])]),
    )

    assert producer.journal[:3] == ["compressed"] * 3
    assert sorted(producer.journal[3:]) == [
        "alerts handed over",
        "changelog handed over",
        "changelog handed over",
        "decisions handed over",
    ]


async def test_a_batch_that_cannot_be_compressed_is_not_handed_over(
    sender: KafkaSender, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Batch) -> None:
        raise MemoryError

    monkeypatch.setattr(Batch, "_build", broken)

    with pytest.raises(MemoryError):
        await sender.send_all([Output("decisions", 0, [LARGE])])
    assert producer.journal == []


async def test_a_send_that_fails_says_where(
    sender: KafkaSender, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any, **__: Any) -> None:
        raise MessageSizeTooLargeError

    monkeypatch.setattr(producer, "send_batch", refuse)

    with pytest.raises(SendFailed, match="decisions-3"):
        await sender.send("decisions", 3, [SMALL])
