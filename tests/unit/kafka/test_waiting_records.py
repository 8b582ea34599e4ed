"""Markers and aborted records are no lag, however many there are."""

import struct

import pytest

from app.adapters.kafka.protocol.fetch import FetchAnswer
from app.adapters.kafka.transactions.waiting_records import MOST_FETCHES, Waiting, waiting_records
from tests.unit.kafka.test_aborted import ABORT, COMMIT, batch

OLDEST_MS = 1_700_000_000_000
NO_ABORTED: tuple[tuple[int, int], ...] = ()


def marker(offset: int, kind: int) -> bytes:
    return batch(offset, [struct.pack(">HH", 0, kind)], 11, control=True)


class Leader:
    """Answers each fetch with the next of these answers."""

    def __init__(self, *answers: tuple[bytes, tuple[tuple[int, int], ...]] | None) -> None:
        self._answers = list(answers)
        self.asked: list[int] = []

    async def fetch(self, offset: int) -> FetchAnswer | None:
        self.asked.append(offset)
        answer = self._answers.pop(0)
        return None if answer is None else FetchAnswer("t", 0, 0, 99, 99, answer[1], answer[0])


async def test_a_commit_marker_alone_is_no_lag() -> None:
    leader = Leader((marker(5, COMMIT), NO_ABORTED))

    assert await waiting_records(leader.fetch, 5, 6) == Waiting(0, None)
    assert Waiting(0, None).seconds(OLDEST_MS) == 0.0


async def test_nothing_is_fetched_without_an_offset_behind_the_commit() -> None:
    leader = Leader()

    assert await waiting_records(leader.fetch, 6, 6) == Waiting(0, None)
    assert leader.asked == []


async def test_aborted_records_are_passed_over_fetch_by_fetch() -> None:
    aborted = batch(5, [b"0", b"1"], 11)
    leader = Leader((aborted, ((11, 5),)), (marker(7, ABORT) + batch(8, [b"2", b"3"]), ((11, 5),)))

    assert await waiting_records(leader.fetch, 5, 10) == Waiting(2, OLDEST_MS)
    assert leader.asked == [5, 7]


async def test_behind_the_first_fetch_with_records_every_offset_counts() -> None:
    leader = Leader((batch(5, [b"0", b"1"], 11) + marker(7, COMMIT), NO_ABORTED))

    found = await waiting_records(leader.fetch, 6, 20)

    assert found == Waiting(1 + 12, OLDEST_MS)
    assert found.seconds(OLDEST_MS + 1_500) == 1.5


@pytest.mark.parametrize("answers", [[None], [(batch(5, [b"0"], 11), ((11, 5),))] * (MOST_FETCHES + 1)])
async def test_without_a_record_read_the_offsets_are_the_lag(
    answers: list[tuple[bytes, tuple[tuple[int, int], ...]] | None],
) -> None:
    found = await waiting_records(Leader(*answers).fetch, 0, 10)

    assert (found.records > 0, found.seconds(OLDEST_MS)) == (True, None)


async def test_compacted_offsets_are_no_lag() -> None:
    assert await waiting_records(Leader((b"", NO_ABORTED)).fetch, 5, 10) == Waiting(0, None)
