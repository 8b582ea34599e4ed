"""What a chunked consumer would commit, and what a rebalance waits for."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from tests.unit.streaming.consumer.consumer import FIRST, SECOND, Record, committable, delivered, offsets


async def test_a_finished_chunk_is_committed_up_to_behind_its_last_record(consumer: Any) -> None:
    first, second = await delivered(consumer, {FIRST: offsets(10, 15)})
    consumer.ack(first)
    assert committable(consumer) == {FIRST: 13}

    consumer.ack(second)
    assert committable(consumer) == {FIRST: 16}


async def test_a_chunk_that_is_not_finished_is_not_committed(consumer: Any) -> None:
    await delivered(consumer, {FIRST: offsets(10, 15)})

    assert committable(consumer) == {}


async def test_a_chunk_is_finished_once(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 1)})

    assert consumer.ack(message)
    assert not consumer.ack(message)


async def test_what_is_committed_is_not_committed_again(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 2)})
    consumer.ack(message)
    consumer._committed_offset[FIRST] = 3

    assert committable(consumer) == {}


async def test_what_the_broker_refused_is_committed_again_though_nothing_more_comes(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came back with the next generation, and was finished once more up to the same record."""
    answers, sent = [False, True], []

    async def commit(offsets: dict[TP, int]) -> bool:
        sent.append(dict(offsets))
        return answers[len(sent) - 1]

    async def flush() -> None: ...

    monkeypatch.setattr(consumer, "_commit", commit)
    monkeypatch.setattr(consumer, "assignment", lambda: {FIRST})
    monkeypatch.setattr(consumer.app, "producer", SimpleNamespace(flush=flush))
    (message,) = await delivered(consumer, {FIRST: offsets(0, 2)})
    consumer.ack(message)

    assert [False, True, False] == [await consumer.force_commit() for _ in range(3)]
    assert [{FIRST: 3}, {FIRST: 3}] == sent


async def test_offsets_that_the_log_has_not_are_no_gap(consumer: Any) -> None:
    """Aborted transactions leave holes; the stock consumer would hold every commit behind one."""
    records = [Record(1), Record(2), Record(50), Record(51)]
    await consumer._add_gap(FIRST, 3, 50)
    for message in await delivered(consumer, {FIRST: records}):
        consumer.ack(message)

    assert not consumer._gap.get(FIRST)
    assert committable(consumer) == {FIRST: 52}


async def test_chunks_in_flight_are_committed_before_their_partitions_are_forgotten(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    (kept,) = await delivered(consumer, {SECOND: offsets(7, 7, partition=1)})
    seen: list[dict[TP, int]] = []

    async def as_faust_does(revoked: set[TP]) -> None:  # noqa: ARG001  # Faust's signature
        consumer.ack(message)
        consumer.ack(kept)
        seen.append(committable(consumer))

    consumer._on_partitions_revoked = as_faust_does
    await consumer.on_partitions_revoked({FIRST})

    assert seen == [{FIRST: 4, SECOND: 8}]
    assert committable(consumer) == {SECOND: 8}


async def test_a_rebalance_does_not_wait_for_a_chunk_that_is_left(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer.track_message(message)
    consumer.untrack(message)

    assert not consumer._unacked_messages


async def test_a_rebalance_waits_for_a_chunk_that_is_held_again(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer.track_message(message)
    consumer.untrack(message)
    consumer.track(message)

    assert [message] == list(consumer._unacked_messages)


async def test_a_chunks_partition_is_paused_and_resumed_under_fausts_own_type(consumer: Any) -> None:
    """Faust's fetcher asserts its own TP; a message carries the client's TopicPartition, which is equal but another type."""
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer._active_partitions = {FIRST, SECOND}

    consumer.pause(message)
    assert consumer._active_partitions == {SECOND}
    consumer.resume(message)

    assert consumer._active_partitions == {FIRST, SECOND}
    assert {type(tp) for tp in consumer._active_partitions} == {TP}


async def test_a_chunk_that_is_finished_after_its_partition_went_is_not_committed(consumer: Any) -> None:
    (late,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    await consumer.on_partitions_revoked({FIRST})
    consumer.app.consumer_generation_id += 1
    consumer.ack(late)

    assert committable(consumer) == {}
