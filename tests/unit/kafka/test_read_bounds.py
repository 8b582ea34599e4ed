"""What a producer's batch makes a reader allocate is bounded: by declared sizes, while it unpacks, by record and by poll."""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.kafka.bulk_fetch import FetchedRecords
from app.adapters.kafka.record_batches import bounded_codecs
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.record_batches.bounded_codecs import CannotDecompress, decompress
from app.adapters.kafka.record_batches.limits import DEFAULT, OWN_HEADER_BYTES, OWN_HEADERS
from app.adapters.kafka.record_batches.record_format import KEPT_BYTES
from app.adapters.kafka.records import Unreadable
from app.adapters.serde.json_codec import decode_transaction
from app.errors import InvalidEvent, InvalidReason, RestoreFailed
from tests.support.wire import record_batches
from tests.support.wire.bombs import MIB, reading_by, wide_batch, zstd_bomb
from tests.support.wire.record_batches import GZIP, LZ4, NONE, SNAPPY, ZSTD, Stored, batch
from tests.unit.kafka.test_contained_fetch import Partition

CODECS = (NONE, GZIP, SNAPPY, LZ4, ZSTD)


def peak_mib(work: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()


def refusal(codec: int, payload: bytes) -> str:
    with pytest.raises(CannotDecompress) as caught:
        decompress(codec, payload)
    return str(caught.value)


TOO_MUCH = "unpacks to more than FRAUDSTREAM_KAFKA_BATCH_UNPACKED_BYTES=33,554,432 bytes"


@pytest.mark.parametrize("declared", [400 * MIB, 2**62])
@pytest.mark.parametrize("real", [1, 400 * MIB])
def test_a_declared_size_beyond_the_bound_takes_no_memory(declared: int, real: int) -> None:
    bomb = zstd_bomb(real, declared)
    assert len(bomb) < 13_000
    assert peak_mib(lambda: refusal(ZSTD, bomb)) < 1
    assert refusal(ZSTD, bomb) == TOO_MUCH


@pytest.mark.parametrize("declared", [None, 1, 100])
def test_what_declares_less_or_nothing_ends_at_the_bound(declared: int | None) -> None:
    bomb = zstd_bomb(400 * MIB, declared)
    assert peak_mib(lambda: refusal(ZSTD, bomb)) < 2 * DEFAULT.batch_unpacked_bytes / MIB
    if declared is None:
        assert refusal(ZSTD, bomb) == TOO_MUCH


@pytest.mark.parametrize(
    ("declared", "buffers"), [(30 * MIB, [30 * MIB]), (0, [4 * MIB, 16 * MIB, 32 * MIB])]
)
def test_what_declares_its_size_is_unpacked_once(declared: int, buffers: list[int]) -> None:
    """For a batch of 30 MiB two buffers that are too small were tried first."""
    tried: list[int] = []

    def unpack(_: bytes, buffer: memoryview) -> int:
        tried.append(len(buffer))
        if len(buffer) < 30 * MIB:
            raise cramjam.DecompressionError("failed to write whole buffer")
        return 5

    assert bounded_codecs._into(lambda _: declared, unpack)(b"", 32 * MIB) == bytes(5)
    assert tried == buffers


def test_a_large_window_is_refused_even_with_little_content() -> None:
    assert decompress(ZSTD, zstd_bomb(100, window_log=25)) == bytes(100)
    assert refusal(ZSTD, zstd_bomb(100, window_log=27)) == TOO_MUCH


@pytest.mark.parametrize("size", [2**40, 400 * MIB])
def test_a_declared_size_of_lz4_and_snappy_takes_no_memory(size: int) -> None:
    lz4 = b"\x04\x22\x4d\x18\x68\x40" + size.to_bytes(8, "little") + bytes(20)
    assert peak_mib(lambda: refusal(LZ4, lz4)) < 1
    assert refusal(LZ4, lz4) == TOO_MUCH
    length = bytearray()
    rest = size & 0xFFFFFFFF or 2**31
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    assert peak_mib(lambda: refusal(SNAPPY, bytes([*length, rest]) + b"\0a")) < 1


def test_many_members_of_gzip_data_do_not_take_long() -> None:
    begun = time.process_time()
    assert "members" in refusal(GZIP, gzip.compress(b"") * 50_000)
    assert time.process_time() - begun < 1
    assert decompress(GZIP, gzip.compress(b"a") * 3) == b"aaa"


def test_compressed_data_in_a_value_stays_as_it_is() -> None:
    bomb = gzip.compress(bytes(8 * MIB))
    (read,) = read_batches(batch([Stored(value=bomb)], codec=GZIP), 0)
    assert [record.value for record in read.records] == [bomb]


def bounds(record: Any) -> str:
    """Why a record is refused, as its dead letter says."""
    with pytest.raises(InvalidEvent) as caught:
        decode_transaction(record.value)
    assert caught.value.reason is InvalidReason.UNREADABLE
    return caught.value.detail


def content(stored: Stored, delta: int) -> bytes:
    """A record without its length, which is one of two or three bytes for these."""
    whole = record_batches.record(stored, delta)
    (width,) = (n for n in (1, 2, 3, 4) if record_batches.varint(len(whole) - n) == whole[:n])
    return whole[width:]


LONG = Stored(b"c1", b"x" * (MIB + OWN_HEADER_BYTES))
MANY = Stored(b"c1", b"v", [(b"", None)] * (DEFAULT.record_headers + OWN_HEADERS + 1))
WIDE = Stored(b"c1", b"v", [(b"n", b"x" * (DEFAULT.record_header_bytes + OWN_HEADER_BYTES))])
FLOOD = Stored(None, None, [(b"", None)] * 100_000)
EXCESSIVE = {
    "long": (LONG, "the record has 1,056,"),
    "many headers": (MANY, "the record has 117 headers, more than FRAUDSTREAM_KAFKA_RECORD_HEADERS=100"),
    "wide headers": (WIDE, "the headers of the record have 73,"),
    "a hundred thousand headers": (FLOOD, "the record has 100,000 headers"),
}


@pytest.mark.parametrize("kind", EXCESSIVE)
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("deltas", [(0, 1, 2), (0, 3, 9)], ids=["whole", "compacted"])
def test_a_record_beyond_a_bound_is_a_dead_letter_and_its_neighbours_are_read(
    kind: str, codec: int, deltas: tuple[int, ...]
) -> None:
    large, why = EXCESSIVE[kind]
    raw = batch([Stored(), large, Stored()], codec=codec, deltas=deltas, base_offset=4)
    (read,) = read_batches(raw, 4)
    first, second, third = read.records
    assert ([first.value, third.value], read.stop) == ([b"v", b"v"], None)
    assert [record.offset for record in read.records] == [4 + delta for delta in deltas]
    assert bounds(second).startswith(why)
    assert (second.key, list(second.headers)) == (None, [])
    assert second.value == content(large, deltas[1])[:KEPT_BYTES]


def test_headers_are_counted_before_they_are_made() -> None:
    raw = batch([FLOOD], codec=ZSTD)
    assert peak_mib(lambda: list(read_batches(raw, 0))) < 4


HEADERS = record_batches.varint(200_000) + b"\0\1" * 200_000
"""Two hundred thousand, each with an empty name and no value."""
OVERLONG = b"\x80\x80\x80\x80\x80\x80\x00"
"""Zero in seven bytes, which aiokafka's parser reads and others refuse."""


@pytest.mark.parametrize("codec", [NONE, ZSTD])
@pytest.mark.parametrize("before", [0, 1, 100])
@pytest.mark.parametrize(
    "body",
    [
        record_batches.varint(8) + b"\0\0\0\1\1" + HEADERS,
        record_batches.varint(-8) + b"\0\0\0\1\1" + HEADERS,
        record_batches.varint(12) + b"\0\0\0" + OVERLONG + b"\1\0" + record_batches.record(FLOOD, 1),
        record_batches.varint(7) + b"\0\0\0\1\xfe\xff\x03" + HEADERS,
    ],
    ids=[
        "a length that is too small",
        "a negative length",
        "an overlong number before it",
        "a value of another length",
    ],
)
def test_no_damage_evades_the_count_of_headers(body: bytes, before: int, codec: int) -> None:
    """Aiokafka reads the headers before it finds that something is wrong."""
    sound = b"".join(record_batches.record(Stored(), index) for index in range(before))
    raw = batch([Stored()] * (before + 2), body=sound + body, codec=codec)
    assert peak_mib(lambda: list(read_batches(raw, 0))) < 8
    assert sum(len(read.records) for read in read_batches(raw, 0)) >= before


def test_as_much_as_the_bounds_allow_is_read() -> None:
    most = [
        Stored(b"c1", b"x" * (MIB - 100)),
        Stored(b"c1", b"v", [(b"n", b"w")] * DEFAULT.record_headers),
        Stored(b"c1", b"v", [(b"n", b"x" * DEFAULT.record_header_bytes)]),
    ]
    (read,) = read_batches(batch(most, codec=ZSTD), 0)
    assert [len(record.value) for record in read.records] == [MIB - 100, 1, 1]


def test_a_state_beyond_the_bounds_ends_a_restore() -> None:
    """A changelog is never passed over: a state would be missing."""
    fetched = FetchedRecords(batch([Stored(), LONG], codec=ZSTD), 0, 2)
    with pytest.raises(RestoreFailed, match="FRAUDSTREAM_KAFKA_RECORD_BYTES"):
        list(fetched.slices())


async def test_a_poll_of_bombs_is_bounded_and_loses_nothing() -> None:
    """12 batches of 30 MiB, of 3 kB each: all at once they take 360 MiB, and 50,000 records of a poll as many MiB."""
    partition = Partition(0)
    data = b"".join(wide_batch(30, MIB - 200, base_offset=30 * index) for index in range(12))
    assert len(data) < 100_000
    tracemalloc.start()
    offsets: list[int] = []
    result = partition.result(data)
    while result.has_more():
        taken = result.getall(50_000)
        assert sum(len(record.value) for record in taken) <= DEFAULT.poll_bytes + MIB
        offsets += [record.offset for record in taken]
        del taken
        await asyncio.sleep(0)
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    assert offsets == list(range(360))
    assert peak < 160


async def test_half_a_million_records_of_a_batch_are_taken_part_by_part() -> None:
    count = DEFAULT.batch_records
    body = b"".join(record_batches.record(Stored(None, None), index) for index in range(count))
    raw = bytearray(batch([Stored()], body=body, codec=ZSTD))
    raw[23:27] = (count - 1).to_bytes(4, "big")
    raw[57:61] = count.to_bytes(4, "big")
    data = record_batches.with_checksum(bytes(raw))
    tracemalloc.start()
    first = Partition(0).result(data).getall(50_000)
    peak = tracemalloc.get_traced_memory()[1] / MIB
    tracemalloc.stop()
    assert 10_000 < len(first) <= 50_000
    assert peak < 64


small = st.builds(
    Stored,
    key=st.none() | st.binary(max_size=5),
    value=st.none() | st.binary(max_size=60),
    headers=st.lists(st.tuples(st.binary(max_size=3), st.none() | st.binary(max_size=9)), max_size=20),
    timestamp_delta=st.just(0),
    attributes=st.just(0),
)


@given(
    records=st.lists(small, min_size=1, max_size=300),
    codec=st.sampled_from(CODECS),
    position=st.integers(0, 300),
    record_bytes=st.integers(20, 90),
    record_headers=st.integers(0, 8),
)
def test_every_record_is_given_once_whole_or_as_a_dead_letter(
    records: list[Stored], codec: int, position: int, record_bytes: int, record_headers: int
) -> None:
    own = OWN_HEADER_BYTES, OWN_HEADERS
    padded = [each._replace(value=(each.value or b"") + bytes(own[0]) if len(each.headers) % 2 else each.value) for each in records]  # fmt: skip
    with reading_by(record_bytes=record_bytes, record_headers=record_headers, record_header_bytes=50):
        read = list(read_batches(batch(padded, codec=codec), min(position, len(records) - 1)))
    found = [record for part in read for record in part.records]
    expected = list(range(min(position, len(records) - 1), len(records)))
    assert [record.offset for record in found] == expected
    assert read[-1].next_offset == len(records)
    for record, stored in zip(found, [padded[offset] for offset in expected], strict=True):
        too_long = len(content(stored, record.offset)) > record_bytes + own[0]
        too_many = len(stored.headers) > record_headers + own[1]
        assert isinstance(record.value, Unreadable) == (too_long or too_many)
        if not (too_long or too_many):
            assert record.value == stored.value
