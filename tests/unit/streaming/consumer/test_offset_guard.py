"""Missing chunks, and a topic deleted and created again, are detected before the next chunk is computed."""

from types import SimpleNamespace

import pytest

from app.errors import ChunkMissing, LogReplaced
from app.processing.chunk import Chunk
from app.streaming.consumer.offset_guard import OffsetGuard


def chunk(first: int, last: int, fetch_epoch: int = 1, partition: int = 0) -> Chunk:
    return Chunk(
        partition, [SimpleNamespace(offset=offset) for offset in range(first, last + 1)], fetch_epoch
    )


def test_ascending_chunks_are_one_log_also_with_gaps() -> None:
    guard = OffsetGuard()

    for each in (chunk(0, 4), chunk(5, 5), chunk(9, 12), chunk(0, 3, partition=1)):
        guard.check(each)


@pytest.mark.parametrize("first", [0, 7, 8])
def test_descending_offsets_are_another_log(first: int) -> None:
    guard = OffsetGuard()
    guard.check(chunk(5, 8))

    with pytest.raises(LogReplaced, match="partition 0"):
        guard.check(chunk(first, 20))


def test_a_chunk_must_follow_the_one_fetched_before_it() -> None:
    guard = OffsetGuard()
    guard.check(chunk(0, 4))
    guard.check(chunk(5, 8)._replace(previous_offset=4))

    with pytest.raises(ChunkMissing, match="up to offset 12, did not arrive"):
        guard.check(chunk(20, 24)._replace(previous_offset=12))


def test_the_first_chunk_after_a_seek_must_not_be_missing() -> None:
    guard = OffsetGuard()
    guard.check(chunk(0, 4, fetch_epoch=1))

    with pytest.raises(ChunkMissing):
        guard.check(chunk(9, 12, fetch_epoch=2)._replace(previous_offset=8))


def test_after_a_seek_records_may_be_read_again() -> None:
    guard = OffsetGuard()
    guard.check(chunk(5, 8, fetch_epoch=1))

    guard.check(chunk(2, 6, fetch_epoch=2))
