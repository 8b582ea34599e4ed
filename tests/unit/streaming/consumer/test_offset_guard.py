"""A topic deleted and created again under a running worker is detected before its first chunk is computed."""

from types import SimpleNamespace

import pytest

from app.errors import LogReplaced
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


def test_after_a_seek_records_may_be_read_again() -> None:
    guard = OffsetGuard()
    guard.check(chunk(5, 8, fetch_epoch=1))

    guard.check(chunk(2, 6, fetch_epoch=2))
