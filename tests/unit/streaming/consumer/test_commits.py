"""Offsets that a chunk consumer commits, and chunks that a rebalance waits for."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from tests.unit.streaming.consumer.consumer import FIRST, SECOND, Record, committable, delivered, offsets


async def test_a_finished_chunk_is_committed_after_its_last_record(consumer: Any) -> None:
    first, second = await delivered(consumer, {FIRST: offsets(10, 15)})
    consumer.ack(first)
    assert committable(consumer) == {FIRST: 13}

    consumer.ack(second)
    assert committable(consumer) == {FIRST: 16}


async def test_an_unfinished_chunk_is_not_committed(consumer: Any) -> None:
    await delivered(consumer, {FIRST: offsets(10, 15)})

    assert committable(consumer) == {}


async def test_a_chunk_is_finished_once(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 1)})

    assert consumer.ack(message)
    assert not consumer.ack(message)


async def test_a_committed_offset_is_not_committed_again(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 2)})
    consumer.ack(message)
    consumer._committed_offset[FIRST] = 3

    assert committable(consumer) == {}


async def test_a_refused_commit_is_repeated_without_new_records(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk was delivered again in the next generation, and finished up to the same record."""
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


async def test_missing_offsets_do_not_hold_back_the_commit(consumer: Any) -> None:
    """Aborted transactions leave gaps; Faust's consumer would hold back every commit behind one."""
    records = [Record(1), Record(2), Record(50), Record(51)]
    await consumer._add_gap(FIRST, 3, 50)
    for message in await delivered(consumer, {FIRST: records}):
        consumer.ack(message)

    assert not consumer._gap.get(FIRST)
    assert committable(consumer) == {FIRST: 52}


async def test_a_finished_partition_is_committed_behind_the_markers_that_follow(consumer: Any) -> None:
    """Kafka's markers and aborted records have offsets, but no fetch returns them."""
    (message,) = await delivered(consumer, {FIRST: offsets(10, 12)}, {FIRST: 14})
    assert committable(consumer) == {}
    consumer.ack(message)
    assert committable(consumer) == {FIRST: 14}

    await delivered(consumer, {}, {FIRST: 20})
    assert committable(consumer) == {FIRST: 20}


async def test_a_partition_with_a_chunk_in_flight_is_committed_behind_its_last_finished_record(
    consumer: Any,
) -> None:
    (first,) = await delivered(consumer, {FIRST: offsets(10, 12)}, {FIRST: 14})
    (second,) = await delivered(consumer, {FIRST: offsets(14, 15)}, {FIRST: 17})
    consumer.ack(first)
    assert committable(consumer) == {FIRST: 13}

    consumer.ack(second)
    assert committable(consumer) == {FIRST: 17}


async def test_positions_of_an_earlier_assignment_are_not_committed(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(10, 12)}, {FIRST: 13})
    consumer.ack(message)
    consumer._thread.fetch_epoch = None

    await delivered(consumer, {}, {FIRST: 20})

    assert committable(consumer) == {FIRST: 13}


async def test_markers_are_no_lag(consumer: Any) -> None:
    """The end of the log, as of the last fetch, is 1,000 here."""
    await delivered(consumer, {FIRST: offsets(990, 992)}, {FIRST: 1_000})

    assert consumer.records_after(FIRST, 993) == 0
    assert consumer.records_after(FIRST, 992) == 8
    assert consumer.records_after(SECOND, 999) == 1


async def test_a_partition_is_finished_while_no_chunk_is_in_flight(consumer: Any) -> None:
    assert not consumer.is_finished(FIRST)
    first, second = await delivered(consumer, {FIRST: offsets(10, 15)})
    consumer.ack(first)
    assert not consumer.is_finished(FIRST)

    consumer.ack(second)
    assert consumer.is_finished(FIRST)
    await consumer.on_partitions_revoked({FIRST})
    assert not consumer.is_finished(FIRST)


async def test_chunks_in_flight_are_committed_before_their_partitions_are_discarded(consumer: Any) -> None:
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


async def test_a_rebalance_does_not_wait_for_an_untracked_chunk(consumer: Any) -> None:
    (message,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    consumer.track_message(message)
    consumer.untrack(message)

    assert not consumer._unacked_messages


async def test_a_rebalance_waits_for_a_chunk_that_is_tracked_again(consumer: Any) -> None:
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


async def test_a_chunk_finished_after_its_partition_was_revoked_is_not_committed(consumer: Any) -> None:
    (late,) = await delivered(consumer, {FIRST: offsets(1, 3)})
    await consumer.on_partitions_revoked({FIRST})
    consumer.app.consumer_generation_id += 1
    consumer.ack(late)

    assert committable(consumer) == {}
