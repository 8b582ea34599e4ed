"""Record batches: header names of any bytes, damage is named by its offset, and memory stays bounded."""

import tracemalloc
from collections.abc import Sequence
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.bulk_fetch import FetchedRecords, Slice
from app.adapters.kafka.record_batches import bounded_codecs
from app.adapters.kafka.record_batches.batch_format import BatchUnreadable, Stop, read_batch
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.record_batches.limits import DEFAULT
from app.adapters.kafka.record_batches.record_format import BatchRecord
from app.adapters.kafka.records import CLAIM_KEY, CLAIM_TOPIC_ID, Unreadable
from tests.support.wire import record_batches
from tests.support.wire.record_batches import GZIP, LZ4, NONE, SNAPPY, ZSTD, Stored, batch

CODECS = (NONE, GZIP, SNAPPY, LZ4, ZSTD)
LATIN = "Müller".encode("latin-1")

values = st.none() | st.binary(max_size=30)
stored = st.builds(
    Stored,
    key=values,
    value=values,
    headers=st.lists(st.tuples(st.binary(max_size=8), values), max_size=3),
    timestamp_delta=st.integers(-(2**40), 2**40),
    attributes=st.integers(0, 255),
)
batches = st.lists(stored, min_size=1, max_size=6)


def content(records: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a record stores, with header names as bytes."""
    return [
        (
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            [(name.encode("utf-8", "surrogateescape"), value) for name, value in record.headers],
        )
        for record in records
    ]


def read_as_far_as_possible(raw: bytes) -> tuple[list[BatchRecord], Stop | None]:
    found: list[BatchRecord] = []
    try:
        found.extend(read_batch(raw, 0))
    except BatchUnreadable as error:
        return found, error.stop
    return found, None


def expected(records: Sequence[Stored], base_offset: int = 0) -> list[tuple[Any, ...]]:
    return [
        (
            base_offset + index,
            1_767_225_600_000 + each.timestamp_delta,
            each.key,
            each.value,
            list(each.headers),
        )
        for index, each in enumerate(records)
    ]


@given(records=batches, codec=st.sampled_from(CODECS), base_offset=st.integers(0, 2**50))
def test_every_stored_byte_is_read(records: list[Stored], codec: int, base_offset: int) -> None:
    raw = batch(records, codec=codec, base_offset=base_offset)
    assert content(list(read_batch(raw, 0))) == expected(records, base_offset)


@given(
    records=st.lists(batches, min_size=1, max_size=3),
    codec=st.sampled_from(CODECS),
)
def test_a_fetch_of_several_batches_is_read_to_its_end(records: list[list[Stored]], codec: int) -> None:
    data, every, offset = b"", [], 0
    for some in records:
        data += batch(some, codec=codec, base_offset=offset)
        every += expected(some, offset)
        offset += len(some)
    read = list(read_batches(data, 0))
    assert content([record for one in read for record in one.records]) == every
    assert read[-1].next_offset == offset


@given(
    count=st.integers(1, 5),
    deltas=st.lists(st.integers(-3, 9), min_size=5, max_size=5),
    attributes=st.integers(0, 255),
    position=st.integers(0, 20),
)
def test_records_of_a_new_batch_are_numbered_by_their_order(
    count: int, deltas: list[int], attributes: int, position: int
) -> None:
    """Brokers store other numbers in the records; aiokafka would skip a record, or give it another one's offset."""
    body = b"".join(
        record_batches.record(Stored(b"%d" % index, attributes=attributes), deltas[index])
        for index in range(count)
    )
    raw = batch([Stored()] * count, body=body, base_offset=10)
    if position >= 10 + count:
        return
    (read,) = read_batches(raw, position)
    first = max(position, 10)
    assert [(record.offset, record.key) for record in read.records] == [
        (offset, b"%d" % (offset - 10)) for offset in range(first, 10 + count)
    ]
    assert (read.next_offset, read.stop) == (10 + count, None)


@given(
    records=batches,
    codec=st.sampled_from(CODECS),
    data=st.data(),
    checksum_is_sound=st.booleans(),
)
def test_damage_gives_the_sound_records_or_names_an_offset(
    records: list[Stored], codec: int, data: st.DataObject, checksum_is_sound: bool
) -> None:
    raw = bytearray(batch(records, codec=codec, base_offset=7))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    damaged = bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    if checksum_is_sound and len(damaged) > record_batches.HEADER_BYTES:
        damaged = record_batches.with_checksum(damaged)
    found, stop = read_as_far_as_possible(damaged)
    assert stop is None or (stop.offset >= 0 and stop.why)
    for record in found:
        assert isinstance(record.value, bytes | None)
    assert [record.offset for record in found] == sorted({record.offset for record in found})
    for one in read_batches(damaged + batch([Stored()], base_offset=1_000), 0):
        assert one.next_offset >= 0


@pytest.mark.parametrize("flip", range(20, 80, 7))
def test_a_wrong_checksum_stops_at_the_first_offset_of_the_batch(flip: int) -> None:
    raw = bytearray(batch([Stored(), Stored(value=b"w" * 40)], base_offset=12))
    raw[flip] ^= 0x40
    with pytest.raises(BatchUnreadable) as caught:
        list(read_batch(bytes(raw), 12))
    assert caught.value.stop == Stop(12, None, "the batch has a wrong checksum")


def test_a_record_with_sound_length_and_damaged_content_is_given_by_its_bytes() -> None:
    sound, damaged = record_batches.record(Stored(), 0), bytes([0, 0, 2, 80]) + b"key"
    body = sound + record_batches.varint(len(damaged)) + damaged + record_batches.record(Stored(), 2)
    first, second, third = read_batch(batch([Stored()] * 3, body=body, base_offset=5), 5)
    assert (first.value, third.value, third.offset) == (b"v", b"v", 7)
    assert (second.offset, second.key, second.value) == (6, None, damaged)
    assert isinstance(second.value, Unreadable)
    assert second.value.why == "the record is damaged: a field states 40 bytes, and 3 are left"


def test_a_record_with_a_damaged_length_stops_behind_the_records_before_it() -> None:
    body = record_batches.record(Stored(), 0) + b"\xff\xff\xff\xff\xff\xff"
    read = read_batch(batch([Stored()] * 3, body=body, codec=ZSTD, base_offset=5), 5)
    assert next(read).offset == 5
    with pytest.raises(BatchUnreadable) as caught:
        next(read)
    assert caught.value.stop[:2] == (6, 8)


def test_a_batch_behind_an_unreadable_one_is_read() -> None:
    bad = bytearray(batch([Stored()], base_offset=4))
    bad[-1] ^= 1
    data = batch([Stored()], base_offset=3) + bytes(bad) + batch([Stored(LATIN)], base_offset=5)
    first, second, third = read_batches(data, 3)
    assert (first.stop, second.records, third.stop) == (None, [], None)
    assert second.stop == Stop(4, 5, "the batch has a wrong checksum")
    assert [record.offset for record in third.records] == [5]


def test_an_incomplete_batch_is_left_out_only_behind_a_whole_one() -> None:
    whole = batch([Stored(headers=[(LATIN, b"x")])])
    (read,) = read_batches(whole + whole[:40], 0)
    assert (len(read.records), read.stop) == (1, None)
    (cut,) = read_batches(whole[:40], 0)
    assert cut.stop == Stop(0, None, "a batch of 40 bytes is incomplete")


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_what_unpacks_to_too_much_is_refused_within_bounded_memory(codec: int) -> None:
    payload = record_batches.compressed(codec, bytes(2 * DEFAULT.batch_unpacked_bytes))
    tracemalloc.start()
    with pytest.raises(
        bounded_codecs.CannotDecompress,
        match="unpacks to more than FRAUDSTREAM_KAFKA_BATCH_UNPACKED_BYTES=33,554,432",
    ):
        bounded_codecs.decompress(codec, payload)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * DEFAULT.batch_unpacked_bytes


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_more_than_the_usual_size_is_unpacked(codec: int) -> None:
    body = bytes(range(256)) * 80_000
    assert bounded_codecs.decompress(codec, record_batches.compressed(codec, body)) == body


def test_bytes_behind_gzip_data_are_ignored_as_brokers_do() -> None:
    body = record_batches.record(Stored(), 0)
    payload = record_batches.compressed(GZIP, body) + b"trailing"
    (record,) = read_batch(batch([Stored()], codec=GZIP, payload=payload), 0)
    assert record.value == b"v"


@pytest.mark.parametrize("base_offset", [-(2**63), -5, 3])
def test_a_batch_of_earlier_offsets_is_not_skipped(base_offset: int) -> None:
    """No checksum covers the offset: its records would count as already read."""
    (read,) = read_batches(batch([Stored()] * 2, base_offset=base_offset), 5)
    assert (read.records, read.next_offset) == ([], 5)
    assert read.stop is not None
    assert read.stop.why.startswith("the batch states its offsets as")


def test_a_batch_of_too_many_records_is_refused_before_it_is_unpacked() -> None:
    """They take little compressed, and more memory than a worker has once they are objects."""
    count = DEFAULT.batch_records + 1
    one = record_batches.record(Stored(None, None), 0)
    raw = bytearray(batch([Stored()], body=one * count, codec=ZSTD, base_offset=5))
    raw[23:27] = (count - 1).to_bytes(4, "big")
    raw[57:61] = count.to_bytes(4, "big")
    (read,) = read_batches(record_batches.with_checksum(bytes(raw)), 5)
    assert len(raw) < 10_000
    assert (read.records, read.stop) == (
        [],
        Stop(
            5, 5 + count, "the batch has 500,001 records, more than FRAUDSTREAM_KAFKA_BATCH_RECORDS=500,000"
        ),
    )


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(BatchUnreadable, match="names the unknown codec 6"):
        list(read_batch(batch([Stored()], attributes=6), 0))


def test_the_helper_compresses_as_producers_do() -> None:
    assert bytes(cramjam.zstd.decompress(record_batches.compressed(ZSTD, b"abc"))) == b"abc"


def test_a_slice_names_the_topic_ids_of_its_claims() -> None:
    named = [(CLAIM_TOPIC_ID.encode(), b"1a")]
    records = [
        Stored(key=b"c1", headers=[(CLAIM_TOPIC_ID.encode(), b"no claim")]),
        Stored(key=CLAIM_KEY, value=None),  # of a release that named no topic
        Stored(key=CLAIM_KEY, value=None, headers=[(CLAIM_TOPIC_ID.encode(), None)]),
    ]
    claim = Stored(key=CLAIM_KEY, value=None, headers=named)

    def slices(stored: list[Stored]) -> list[Slice]:
        return list(FetchedRecords(batch(stored), 0, len(stored)).slices())

    assert [frozenset()] == [found.claimed_topic_ids for found in slices(records)]
    assert [frozenset({"1a"})] == [found.claimed_topic_ids for found in slices([*records, claim])]
