"""What a consumer does with a fetch that holds unreadable records. The fetcher's own classes, without a broker."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiokafka.consumer.fetcher as fetcher_module
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import ManualSubscription

from app.adapters.kafka.record_batches.batch_format import Stop
from app.adapters.kafka.record_batches.contained_fetch import (
    _stops,
    install,
    pass_over_unreadable,
    resume_stopped,
    unreadable,
)
from app.errors import RecordsUnreadable
from tests.support.wire.record_batches import ZSTD, Stored, batch

TP = TopicPartition("t", 0)
LATIN = "Müller".encode("latin-1")


class Partition:
    """One assigned partition of a consumer; ``fetch`` is what its fetcher does with a response."""

    def __init__(self, position: int) -> None:
        install()
        self.assignment = ManualSubscription([TP], loop=asyncio.get_running_loop()).assignment
        self.state = self.assignment.state_value(TP)
        self.state.seek(position)

    def fetch(self, data: bytes, isolation_level: int = 0, aborted: Sequence[Any] = ()) -> list[Any]:
        result = self.result(data, isolation_level, aborted)
        found: list[Any] = result.getall()
        assert not result.has_more()
        return found

    def result(self, data: bytes, isolation_level: int = 0, aborted: Sequence[Any] = ()) -> Any:
        records = fetcher_module.PartitionRecords(
            TP,
            fetcher_module.MemoryRecords(data),
            aborted,
            self.state.position,
            None,
            None,
            True,  # as aiokafka passes it
            isolation_level,
        )
        return fetcher_module.FetchResult(
            TP, partition_records=records, assignment=self.assignment, backoff=0
        )

    @property
    def stops(self) -> dict[TopicPartition, Stop]:
        return _stops(self.assignment)


def damaged(base_offset: int, records: int = 1) -> bytes:
    raw = bytearray(batch([Stored()] * records, base_offset=base_offset))
    raw[-1] ^= 1
    return bytes(raw)


async def test_a_header_name_of_any_bytes_is_read_with_its_neighbours() -> None:
    partition = Partition(3)
    data = (
        batch([Stored()], base_offset=3)
        + batch([Stored(), Stored(headers=[(LATIN, b"x")]), Stored()], base_offset=4, codec=ZSTD)
        + batch([Stored()], base_offset=7)
    )
    records = partition.fetch(data)
    assert [record.offset for record in records] == [3, 4, 5, 6, 7]
    assert [list(record.headers) for record in records] == [[], [], [("M\udcfcller", b"x")], [], []]
    assert (partition.stops, partition.state.paused, partition.state.position) == ({}, False, 8)


async def test_records_before_an_unreadable_one_are_delivered_and_the_partition_stops_there() -> None:
    partition = Partition(3)
    records = partition.fetch(
        batch([Stored()] * 2, base_offset=3) + damaged(5, 2) + batch([Stored()], base_offset=7)
    )
    assert [record.offset for record in records] == [3, 4]
    assert partition.stops == {TP: Stop(5, 7, "the batch has a wrong checksum")}
    assert partition.state.paused
    assert partition.state.position == 5


async def test_a_sound_copy_ends_the_stop() -> None:
    partition = Partition(5)
    assert partition.fetch(damaged(5)) == []
    partition.state.resume()
    assert partition.stops
    assert [record.offset for record in partition.fetch(batch([Stored()], base_offset=5))] == [5]
    assert partition.stops == {}
    assert not partition.state.paused


async def test_bytes_without_a_whole_batch_stop_the_partition_and_skip_nothing() -> None:
    partition = Partition(5)
    assert partition.fetch(batch([Stored()], base_offset=5)[:50]) == []
    assert partition.stops == {TP: Stop(5, None, "a batch of 50 bytes is incomplete")}
    assert partition.state.position == 5


async def test_a_cut_batch_at_the_end_is_fetched_again() -> None:
    partition = Partition(5)
    latin = batch([Stored(headers=[(LATIN, b"x")])], base_offset=5)
    assert len(partition.fetch(latin + batch([Stored()], base_offset=6)[:50])) == 1
    assert (partition.stops, partition.state.position) == ({}, 6)


@pytest.mark.parametrize("damage", [b"", b"\x00\x00", b"\x00\x01\x00"])
async def test_a_damaged_transaction_marker_stops_a_reader_of_committed_records(damage: bytes) -> None:
    control, transactional = 0x20, 0x10
    marker = batch([Stored(key=damage)], base_offset=5, attributes=control | transactional)
    partition = Partition(5)
    assert partition.fetch(marker + batch([Stored()], base_offset=6), isolation_level=1) == []
    assert partition.stops == {TP: Stop(5, 6, "a transaction marker is damaged")}


async def test_a_transaction_marker_that_compaction_emptied_is_passed() -> None:
    marker = batch([], base_offset=5, attributes=0x30)
    partition = Partition(5)
    records = partition.fetch(marker + batch([Stored()], base_offset=6), isolation_level=1)
    assert ([record.offset for record in records], partition.stops) == ([6], {})


class Reader(Partition):
    """A consumer with one partition."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=self.assignment))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.assignment.state_value(tp).seek(offset)

    def resume(self, tp: TopicPartition) -> None:
        self.assignment.state_value(tp).resume()


async def test_a_reader_that_decides_nothing_goes_on_behind_and_names_what_it_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader(5)
    reader.fetch(damaged(5, 2) + batch([Stored()], base_offset=7))
    pass_over_unreadable(reader)
    assert (reader.state.position, reader.state.paused, unreadable(reader)) == (7, False, {})
    assert "t-0: the records from offset 5 to 6 cannot be read and are left out: the batch has" in caplog.text


async def test_a_reader_ends_where_the_end_of_the_damage_is_unknown() -> None:
    reader = Reader(5)
    reader.fetch(b"\0" * 40)
    with pytest.raises(RecordsUnreadable, match="t-0 cannot be read from offset 5: a batch of 40 bytes"):
        pass_over_unreadable(reader)
    assert unreadable(reader)


async def test_a_stop_that_is_over_is_not_passed() -> None:
    """A rebalance or a sound copy came first."""
    reader = Reader(5)
    assert not resume_stopped(reader, TP, Stop(5, 7, "why"), 7)
    assert reader.state.position == 5


async def test_a_partition_that_was_sought_back_is_not_moved_forward() -> None:
    """The records between are not finished: they would be lost."""
    reader = Reader(5)
    reader.fetch(batch([Stored()] * 2, base_offset=5) + damaged(7))
    ((_, stop),) = unreadable(reader).items()
    reader.seek(TP, 5)
    assert not resume_stopped(reader, TP, stop, 8)
    assert (reader.state.position, reader.state.paused, unreadable(reader)) == (5, False, {})


async def test_an_order_that_leaves_out_more_than_there_is_continues_at_the_end_of_the_log() -> None:
    """Behind it the client would begin again at the first record, find the same stop and the same order, and so on."""
    reader = Reader(5)
    reader.fetch(damaged(5, 2) + batch([Stored()], base_offset=7))
    reader.state.highwater = 8
    ((_, stop),) = unreadable(reader).items()
    assert resume_stopped(reader, TP, stop, 2**62)
    assert reader.state.position == 8


def test_every_consumer_of_the_service_is_contained() -> None:
    making = [str(path) for path in Path("app").rglob("*.py") if "= AIOKafkaConsumer(" in path.read_text()]
    assert making == []
