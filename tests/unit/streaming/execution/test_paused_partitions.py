"""A partition that needs an answer waits alone, and its chunks are left to the next owner as a whole."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from app.processing.chunk import Chunk
from app.streaming.delivery.order_of_writes import InFlightChunk
from app.streaming.execution import paused_partitions
from app.streaming.execution.chunk_runner import ChunkRunner, RunnerContext
from app.streaming.monitoring.health import Health
from tests.unit.clock import Clock

STALL_SECONDS = 60.0
LIMIT = 6


class Record(NamedTuple):
    offset: int
    needs: bool = False


class Event:
    """A chunk as Faust delivers it to the agent."""

    def __init__(self, partition: int, fetch_epoch: int, *records: Record) -> None:
        self.value = Chunk(partition, cast(Any, records), fetch_epoch)
        self.message = SimpleNamespace(topic="t", partition=partition)
        self.acked = False

    def ack(self) -> None:
        self.acked = True


class Consumer:
    def __init__(self) -> None:
        self.fetch_epoch: int | None = 1
        self.left: list[Any] = []
        self.paused: set[int] = set()
        self.resumed: list[int] = []

    def is_current(self, chunk: Chunk) -> bool:
        return chunk.fetch_epoch is not None and chunk.fetch_epoch == self.fetch_epoch

    def untrack(self, message: Any) -> None:
        self.left.append(message)

    def pause(self, message: Any) -> None:
        self.paused.add(message.partition)

    def resume(self, message: Any) -> None:
        self.paused.remove(message.partition)
        self.resumed.append(message.partition)


class Prerequisites:
    provider = "the oracle"

    def __init__(self) -> None:
        self.answers = False
        self.known = False
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def are_met(self, chunk: Chunk) -> bool:
        return self.known or not any(cast(Any, record).needs for record in chunk.records)

    async def request(self, _: Chunk) -> bool:
        self.asked += 1
        await self.gate.wait()
        self.known = self.answers
        return self.answers


class Writes:
    def __init__(self) -> None:
        self.computed: list[tuple[int, list[int]]] = []

    round_under_way = False

    def add_listener(self, _: object) -> None: ...

    def finish(self, chunk: InFlightChunk[Any]) -> None:
        self.computed.append(chunk.computed)
        chunk.acknowledge()


class Bench:
    """A chunk runner and its surroundings."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.health = Health(STALL_SECONDS, self.clock)
        self.consumer, self.prerequisites, self.writes = Consumer(), Prerequisites(), Writes()
        self.paused_records: list[int] = []
        context = RunnerContext(10, LIMIT, self.health, on_paused_change=self.paused_records.append)
        self.runner: ChunkRunner[Any] = ChunkRunner(
            context, self._compute, cast(Any, self.writes), lambda _: None, self.prerequisites
        )
        self.health.started()
        self.health.assigned()
        self.health.restored(2)

    async def accept(self, *events: Event) -> None:
        for event in events:
            await self.runner.accept(cast(Any, event), cast(Any, self.consumer))
        await self.turn()

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0.002)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not done():  # noqa: ASYNC110  # what is waited for is not ours to tell
                await asyncio.sleep(0.002)

    def _compute(self, chunks: Sequence[Chunk], _: object) -> Any:
        return [(chunk.partition, [record.offset for record in chunk.records]) for chunk in chunks]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "CHECK_SECONDS"):
        monkeypatch.setattr(paused_partitions, name, 0.005)
    running = Bench()
    yield running
    running.runner.stopping()
    await running.turn()


NEW = Record(0, needs=True)


async def test_an_immediate_answer_pauses_no_partition(bench: Bench) -> None:
    bench.prerequisites.answers = True
    await bench.accept(Event(0, 1, NEW), Event(0, 1, Record(1)))

    assert ([(0, [0]), (0, [1])], [], 1) == (
        bench.writes.computed,
        bench.paused_records,
        bench.prerequisites.asked,
    )


async def test_a_paused_partition_resumes_in_order(bench: Bench) -> None:
    first, second = Event(0, 1, NEW), Event(0, 1, Record(1))
    await bench.accept(first, second)
    assert (False, {0}) == (first.acked, bench.consumer.paused)

    bench.prerequisites.answers = True
    await bench.until(lambda: second.acked)

    assert [(0, [0]), (0, [1])] == bench.writes.computed
    assert (set(), [0]) == (bench.consumer.paused, bench.consumer.resumed)
    assert ([], 0) == (bench.consumer.left, bench.paused_records[-1])


async def test_other_partitions_continue_however_much_the_paused_one_has_fetched(bench: Bench) -> None:
    await bench.accept(Event(0, 1, NEW), *(Event(0, 1, Record(offset)) for offset in range(1, 3 * LIMIT)))
    async with asyncio.timeout(60):
        await bench.accept(Event(1, 1, Record(0)))

    assert ([(1, [0])], 3 * LIMIT) == (bench.writes.computed, bench.paused_records[-1])


async def test_waiting_is_not_a_stall_and_the_probe_names_the_provider(bench: Bench) -> None:
    await bench.accept(Event(0, 1, NEW))
    bench.clock.seconds += 10 * STALL_SECONDS

    assert (None, (False, "partition 0 waits for the oracle")) == (
        bench.health.stall(),
        tuple(bench.health.readiness()),
    )
    bench.prerequisites.answers = True
    await bench.until(lambda: bench.health.readiness().good)

    bench.clock.seconds += 2 * STALL_SECONDS  # computed, and never finished
    assert bench.health.stall()


async def test_all_chunks_of_a_revoked_partition_are_left_to_the_next_owner(bench: Bench) -> None:
    events = [Event(0, 1, NEW), Event(0, 1, Record(1))]
    await bench.accept(*events)
    bench.consumer.fetch_epoch = None
    await bench.until(lambda: len(bench.consumer.left) == 2)

    assert ([], []) == (bench.writes.computed, [event for event in events if event.acked])
    bench.consumer.fetch_epoch, bench.prerequisites.answers = 2, True
    await bench.accept(Event(0, 2, NEW, Record(1)))
    assert [(0, [0, 1])] == bench.writes.computed


async def test_no_chunk_after_an_abandoned_one_is_computed_when_the_worker_stops(bench: Bench) -> None:
    """Its profiles would skip the records before it, which would be lost."""
    await bench.accept(Event(0, 1, NEW))
    bench.runner.stopping()
    await bench.until(lambda: len(bench.consumer.left) == 1)
    bench.prerequisites.known = True
    late = Event(0, 1, Record(1))
    await bench.accept(late, Event(1, 1, Record(0)))

    assert ([(1, [0])], False, 2) == (bench.writes.computed, late.acked, len(bench.consumer.left))


async def test_a_chunk_that_waited_for_the_limit_does_not_overtake_abandoned_chunks(bench: Bench) -> None:
    """It arrived before the first attempt had failed, and is admitted only after its partition was revoked."""
    bench.prerequisites.gate.clear()
    await bench.accept(Event(0, 1, NEW), Event(1, 1, *(Record(offset) for offset in range(2 * LIMIT))))
    door = Event(0, 1, Record(1))
    waiting = asyncio.create_task(bench.accept(door))
    await bench.turn()
    bench.consumer.fetch_epoch = None
    bench.prerequisites.gate.set()
    await bench.until(lambda: len(bench.consumer.left) == 1)
    bench.runner._limit.release(2 * LIMIT)
    await waiting

    assert ([(1, list(range(2 * LIMIT)))], 2) == (bench.writes.computed, len(bench.consumer.left))
