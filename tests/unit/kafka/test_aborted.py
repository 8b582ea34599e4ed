"""Records of aborted transactions are left out exactly as aiokafka's own consumer leaves them out."""

import struct
from typing import Any, NamedTuple

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBase, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.bulk_fetch import FetchedRecords
from app.adapters.kafka.record_batches.contained_fetch import ContainedRecords, FetchedBatches
from app.adapters.kafka.transactions.aborted import AbortedTransactions

PRODUCERS = (11, 22, 33)
ABORT, COMMIT = 0, 1
(PartitionRecords,) = ContainedRecords.__bases__  # under aiokafka's own name a process may have ours
CONTROL_BIT = 0x20
NO_PRODUCER = -1


class Log(NamedTuple):
    """A partition as a broker returns it."""

    batches: list[bytes]
    starts: list[int]
    """First offset of each batch."""
    aborted: list[tuple[int, int, int]]
    """Producer id, first offset and marker's offset of each aborted transaction."""
    end: int


def batch(offset: int, values: list[bytes], producer: int = NO_PRODUCER, *, control: bool = False) -> bytes:
    """A batch as it is stored; aiokafka's builder makes no control batches."""
    transactional = producer != NO_PRODUCER
    builder = DefaultRecordBatchBuilder(2, 0, transactional, producer, 0, 0, 1_000_000)
    for index, value in enumerate(values):
        key = value if control else b"k"
        builder.append(index, timestamp=1_700_000_000_000, key=key, value=value, headers=[])
    stored = bytearray(builder.build())
    return _sealed(stored, offset, CONTROL_BIT if control else 0)


def empty_marker(offset: int, producer: int) -> bytes:
    """A marker whose record was compacted away: its batch stays, as the last one of its producer."""
    stored = bytearray(batch(offset, [struct.pack(">HH", 0, ABORT)], producer, control=True))
    header = DefaultRecordBase.HEADER_STRUCT.size
    del stored[header:]
    struct.pack_into(">i", stored, 8, header - DefaultRecordBase.AFTER_LEN_OFFSET)
    struct.pack_into(">i", stored, header - 4, 0)
    return _sealed(stored, offset, 0)


def _sealed(stored: bytearray, offset: int, attributes: int) -> bytes:
    struct.pack_into(">q", stored, 0, offset)
    at = DefaultRecordBase.ATTRIBUTES_OFFSET
    (found,) = struct.unpack_from(">h", stored, at)
    struct.pack_into(">h", stored, at, found | attributes)
    struct.pack_into(">I", stored, DefaultRecordBase.CRC_OFFSET, calc_crc32c(bytes(stored[at:])))
    return bytes(stored)


writes = st.tuples(st.sampled_from([*PRODUCERS, NO_PRODUCER]), st.integers(1, 3))
ends = st.tuples(st.sampled_from(PRODUCERS), st.sampled_from([ABORT, COMMIT]).map(lambda kind: -kind))


@st.composite
def logs(draw: Any) -> Log:
    """A log of interleaved transactions and records without one; every transaction is ended."""
    batches, starts, aborted = [], [], []
    opened: dict[int, int] = {}
    offset = draw(st.integers(0, 5))

    def append(stored: bytes, records: int) -> None:
        nonlocal offset
        batches.append(stored)
        starts.append(offset)
        offset += records

    def mark(producer: int, kind: int) -> None:
        if producer in opened and kind == ABORT:
            aborted.append((producer, opened[producer], offset))
        opened.pop(producer, None)
        append(batch(offset, [struct.pack(">HH", 0, kind)], producer, control=True), 1)

    for producer, number in draw(st.lists(writes | ends, max_size=25)):
        if number > 0:
            if producer != NO_PRODUCER:
                opened.setdefault(producer, offset)
            values = [b"%d" % (offset + each) for each in range(number)]
            append(batch(offset, values, producer), number)
        else:
            mark(producer, -number)
        offset += draw(st.sampled_from([0, 0, 0, 2]))  # compaction leaves gaps
    for producer in list(opened):
        mark(producer, draw(st.sampled_from([ABORT, COMMIT])))
    return Log(batches, starts, aborted, offset)


def fetched(log: Log, offset: int) -> tuple[bytes, list[tuple[int, int]]]:
    """A broker's answer: whole batches, and the aborted transactions that end at the offset or later."""
    data = b"".join(stored for stored in log.batches if _last_offset(stored) >= offset)
    return data, [(producer, first) for producer, first, last in log.aborted if last >= offset]


def _last_offset(stored: bytes) -> int:
    (base_offset,), (last_delta,) = struct.unpack_from(">q", stored), struct.unpack_from(">i", stored, 23)
    return int(base_offset + last_delta)


@given(logs(), st.data())
def test_readers_yield_what_aiokafkas_consumer_yields(log: Log, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, log.end))
    stored, aborted = fetched(log, offset)
    options = (aborted, offset, None, None, True, READ_COMMITTED)
    reference = PartitionRecords(TopicPartition("t", 0), MemoryRecords(stored), *options)
    expected = [(record.offset, record.value) for record in reference]

    decoded = FetchedRecords(stored, offset, log.end, aborted).decoded()
    contained = ContainedRecords(TopicPartition("t", 0), FetchedBatches(stored), *options)

    assert expected == [(record.offset, record.value) for records, _ in decoded for record in records]
    assert expected == [(record.offset, record.value) for record in contained]
    assert contained.next_fetch_offset == reference.next_fetch_offset


@given(logs())
def test_only_committed_records_are_left(log: Log) -> None:
    """Without aiokafka: a record is visible unless it lies between the first record and the marker of an aborted transaction."""
    stored, aborted = fetched(log, 0)
    decoded = FetchedRecords(stored, 0, log.end, aborted).decoded()
    found = {record.offset for records, _ in decoded for record in records}

    for start, raw in zip(log.starts, log.batches, strict=True):
        (each,) = list(_batches(raw))
        hidden = each.is_control_batch or any(
            producer == each.producer_id and first <= start < last for producer, first, last in log.aborted
        )
        offsets = {record.offset for record in each}
        assert not offsets & found if hidden else offsets <= found


def _batches(raw: bytes) -> Any:
    memory = MemoryRecords(raw)
    while memory.has_next():
        yield memory.next_batch()


@pytest.mark.parametrize("isolated", [True, False])
def test_without_the_list_of_a_broker_every_record_is_left(isolated: bool) -> None:
    stored = batch(0, [b"0"], 11) + batch(1, [struct.pack(">HH", 0, ABORT)], 11, control=True)
    aborted = [(11, 0)] if isolated else []

    decoded = FetchedRecords(stored, 0, 2, aborted).decoded()

    assert [record.offset for records, _ in decoded for record in records] == ([] if isolated else [0])


def test_a_marker_that_was_compacted_away_ends_no_transaction() -> None:
    """Kafka keeps the empty batch for the sequence numbers of its producer; aiokafka's consumer fails at it."""
    stored = batch(0, [b"0"]) + empty_marker(1, 11) + batch(2, [b"2"])
    options: tuple[Any, ...] = ([], 0, None, None, True, READ_COMMITTED)

    decoded = FetchedRecords(stored, 0, 3, []).decoded()
    contained = ContainedRecords(TopicPartition("t", 0), FetchedBatches(stored), *options)

    assert [record.offset for records, _ in decoded for record in records] == [0, 2]
    assert [record.offset for record in contained] == [0, 2]
    with pytest.raises(KafkaError):
        list(PartitionRecords(TopicPartition("t", 0), MemoryRecords(stored), *options))


def test_a_marker_without_a_record_is_hidden_and_ends_nothing() -> None:
    aborted = AbortedTransactions([(11, 0)])
    stored = batch(0, [b"0"], 11) + empty_marker(1, 11) + batch(2, [b"2"], 11)

    assert [aborted.hides(each) for each in _batches(stored)] == [True, True, True]
