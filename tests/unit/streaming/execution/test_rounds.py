"""Waiting chunks of all partitions are computed together, between two write rounds."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from app.processing.chunk import Chunk
from app.processing.stopwatch import Stopwatch
from app.streaming.delivery.order_of_writes import InFlightChunk
from app.streaming.execution.chunk_runner import ChunkRunner, RunnerContext
from app.streaming.monitoring.health import Health
from tests.unit.clock import Clock
from tests.unit.streaming.execution.test_paused_partitions import Consumer, Event, Record

FULL = 4


class Writes:
    """An order of writes whose round never ends."""

    def __init__(self) -> None:
        self.round_under_way = False
        self.works: list[list[int]] = []
        self.watches: list[Stopwatch] = []

    def add_listener(self, _: object) -> None: ...

    def finish(self, chunk: InFlightChunk[Any]) -> None:
        self.round_under_way = True
        self.works.append(chunk.computed)
        self.watches.append(chunk.stopwatch)
        chunk.acknowledge()


class Bench:
    def __init__(self) -> None:
        self.together: list[list[list[int]]] = []
        """Offsets of the chunks of each computation."""
        self.answer: asyncio.Future[None] | None = None
        """Of an oracle that has to be asked about each computation."""
        self.writes, self.consumer = Writes(), Consumer()
        context = RunnerContext(FULL, 100, Health(60.0, Clock()))
        self.runner: ChunkRunner[Any] = ChunkRunner(
            context, self._compute, cast(Any, self.writes), lambda _: None
        )

    async def accept(self, partition: int, *offsets: int) -> Event:
        event = Event(partition, 1, *map(Record, offsets))
        await self.runner.accept(cast(Any, event), cast(Any, self.consumer))
        return event

    def next_round(self) -> None:
        self.runner.between_rounds()

    def _compute(self, chunks: Sequence[Chunk], watch: Stopwatch) -> Any:
        offsets = [[record.offset for record in chunk.records] for chunk in chunks]
        self.together.append(offsets)
        watch.seconds["fold"] = 1.0
        return offsets if self.answer is None else answered(self.answer, offsets)


async def answered(answer: asyncio.Future[None], offsets: list[list[int]]) -> list[list[int]]:
    await answer
    return offsets


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_first_chunk_waits_for_nothing(bench: Bench) -> None:
    event = await bench.accept(0, 1)

    assert bench.together == [[[1]]]
    assert event.acked


async def test_chunks_received_during_a_round_are_computed_together_after_it(bench: Bench) -> None:
    await bench.accept(0, 1)
    for partition, offset in ((1, 5), (0, 2), (2, 7), (1, 6)):
        await bench.accept(partition, offset)
    assert bench.together == [[[1]]]

    bench.next_round()

    assert [sorted(offsets) for offsets in bench.together] == [[[1]], [[2], [5, 6], [7]]]
    assert sorted(bench.writes.works) == [[1], [2], [5, 6], [7]]


async def test_a_full_chunk_does_not_wait_for_the_round(bench: Bench) -> None:
    await bench.accept(0, 1)
    await bench.accept(1, 5)
    await bench.accept(0, 2, 3, 4, 6)

    assert bench.together == [[[1]], [[2, 3, 4, 6]]]


async def test_partitions_that_await_an_answer_wait_together_and_others_continue(bench: Bench) -> None:
    bench.answer = asyncio.get_running_loop().create_future()
    await bench.accept(0, 1)
    await bench.accept(0, 2)
    answer, bench.answer = bench.answer, None
    await bench.accept(1, 5)
    assert bench.together == [[[1]], [[5]]]
    assert bench.writes.works == [[5]]

    answer.set_result(None)
    await turn()

    assert bench.writes.works == [[5], [1]]
    bench.next_round()
    assert bench.together[2:] == [[[2]]]


async def test_each_chunk_counts_its_part_of_the_shared_time(bench: Bench) -> None:
    await bench.accept(0, 1)
    await bench.accept(1, 5, 6)
    await bench.accept(2, 7)
    bench.next_round()

    shares = [watch.seconds["fold"] for watch in bench.writes.watches]
    assert shares[0] == 1.0
    assert sorted(shares[1:]) == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
