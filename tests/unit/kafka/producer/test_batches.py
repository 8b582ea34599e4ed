"""Order and timing of the batches that a BatchProducer passes to the Kafka client."""

import asyncio

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import TopicBatch
from app.errors import SendFailed
from tests.unit.kafka.producer.fake_client import LARGE, SMALL, Batch, ManualExecutor, Producer


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


async def test_a_failed_send_names_the_partition(sender: BatchProducer, producer: Producer) -> None:
    producer.refusal = MessageSizeTooLargeError

    with pytest.raises(SendFailed, match="decisions-3"):
        await sender.send("decisions", 3, [SMALL])
