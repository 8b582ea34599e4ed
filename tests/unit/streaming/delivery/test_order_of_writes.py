"""The order of writes, with a sender and a store that only note what happened, and when."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import pytest

from app.adapters.kafka.records import OutRecord, TopicBatch
from app.errors import SendFailed
from app.processing.score_chunk import ScoredChunk
from app.processing.stopwatch import Stopwatch
from app.settings import Stream
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites

TOPICS = {
    Stream.DECISIONS: "decisions",
    Stream.ALERTS: "alerts",
    Stream.DEAD_LETTERS: "dead-letters",
    Stream.ENTITY_ACTIVITY: "activity",
}
OUTPUTS = tuple(TOPICS.values())
DESTINATIONS = Destinations(TOPICS, "changelog")
Journal = list[str]


class ProcessEnded(BaseException):
    """Stands for the end of the process: nothing of it goes on after this."""


class NotingSender:
    """Notes sends and acknowledgements; a topic can be held back or made to fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.gates: dict[str, asyncio.Event] = {}
        self.failing: set[str] = set()
        self.batches: list[tuple[str, list[str]]] = []

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]:
        guard()
        return await asyncio.gather(*(self._send(output.topic, output.records) for output in outputs))

    async def _send(self, topic: str, records: Sequence[OutRecord]) -> int:
        chunks = [record.key.decode() for record in records if record.key is not None]
        self.batches.append((topic, chunks))
        self.journal.extend(f"{chunk} sent to {topic}" for chunk in chunks)
        await asyncio.sleep(0)
        if topic in self.gates:
            await self.gates[topic].wait()
        if topic in self.failing:
            raise SendFailed(topic)
        self.journal.extend(f"{chunk} acknowledged by {topic}" for chunk in chunks)
        return 7


class NotingStore:
    """Notes what is written; can be made to fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.full = False
        self.newest: dict[bytes, bytes] = {}

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None:
        if self.full:
            raise OSError("no space left on device")
        self.newest.update(profiles)
        for key in profiles:
            self.journal.append(f"{key.decode()} stored at {changelog_offset} in {partition}")


class Worker:
    """The steps under test and their surroundings."""

    def __init__(self) -> None:
        self.journal: Journal = []
        self.sender, self.store = NotingSender(self.journal), NotingStore(self.journal)
        self.next_round: list[tuple[str, int]] = []
        """Chunks and partitions that are computed between two rounds."""
        self.writes = OrderOfWrites[ScoredChunk](self.sender, self.store, DESTINATIONS, self._guard)
        self.writes.add_listener(self)
        self.paused = False
        self.ended: list[str] = []

    def finish(self, chunk: str, partition: int = 0, customer: str | None = None) -> None:
        computed = work(chunk, partition, customer or chunk)
        acknowledge = partial(self.journal.append, f"{chunk} finished")
        self.writes.finish(InFlightChunk(computed, acknowledge, Stopwatch(lambda: 0.0), self))

    def entries(self, word: str) -> list[str]:
        return [entry for entry in self.journal if word in entry]

    def on_durable(self, chunks: Sequence[InFlightChunk[ScoredChunk]]) -> None:
        self.journal.extend(f"{key.decode()} durable" for done in chunks for key in done.computed.states)

    def between_rounds(self) -> None:
        self.journal.append("between rounds")
        waiting, self.next_round = self.next_round, []
        for chunk, partition in waiting:
            self.finish(chunk, partition)

    def _guard(self) -> None:
        if self.paused:
            raise SendFailed("paused")


def work(chunk: str, partition: int, customer: str) -> ScoredChunk:
    """A chunk that has something for every topic, and changed one customer's profile."""
    records = [OutRecord(chunk.encode(), b"")]
    return ScoredChunk(
        partition=partition,
        number=1,
        last_offset=0,
        decisions=records,
        alerts=records,
        dead_letters=records,
        states={customer.encode(): f"profile after {chunk}".encode()},
        outcomes=[],
        scores=[],
        sent_ms=[],
        rejected=[],
        already_applied=0,
        duplicate=0,
        late=0,
        activity={partition + 1: records},
    )


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()

    def end(doing: str, error: BaseException) -> None:
        worker.ended.append(type(error).__name__)
        raise ProcessEnded(doing) from error

    monkeypatch.setattr("app.streaming.delivery.fail_stop.end_process", end)
    return worker


@pytest.fixture(autouse=True)
async def _quiet() -> None:
    """The end of the process is an exception in a task here; the loop would write it to the log."""
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


async def until_idle() -> None:
    """Everything that can go on has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)


async def finish_two(worker: Worker, *, held_at: str) -> asyncio.Event:
    """Chunks a and b, one after the other; what is sent to ``held_at`` is acknowledged when the event is set."""
    gate = worker.sender.gates[held_at] = asyncio.Event()
    for chunk in "ab":
        worker.finish(chunk)
        await until_idle()
    return gate


def at(journal: Journal, entry: str) -> int:
    assert entry in journal
    return journal.index(entry)


async def test_the_steps_of_a_chunk_follow_each_other(worker: Worker) -> None:
    worker.finish("a")
    await until_idle()

    assert {f"a {done} {topic}" for done in ("sent to", "acknowledged by") for topic in OUTPUTS} == set(
        worker.journal[:8]
    )
    assert worker.journal[8:] == [
        "between rounds",
        "a sent to changelog",
        "a acknowledged by changelog",
        "a stored at 7 in 0",
        "a durable",
        "a finished",
        "between rounds",
    ]


@pytest.mark.parametrize("topic", OUTPUTS)
async def test_no_profile_is_written_while_an_output_is_not_acknowledged(worker: Worker, topic: str) -> None:
    worker.sender.gates[topic] = asyncio.Event()
    worker.finish("a")
    await until_idle()

    assert worker.entries("changelog") + worker.entries("stored") == []
    worker.sender.gates[topic].set()
    await until_idle()
    assert worker.entries("finished") == ["a finished"]


async def test_the_store_waits_for_the_changelog(worker: Worker) -> None:
    gate = worker.sender.gates["changelog"] = asyncio.Event()
    worker.finish("a")
    await until_idle()

    assert worker.journal[-1] == "a sent to changelog"
    gate.set()
    await until_idle()
    assert worker.journal[-2:] == ["a finished", "between rounds"]


async def test_a_round_sends_the_outputs_of_a_chunk_beside_the_changelog_of_the_one_before(
    worker: Worker,
) -> None:
    gate = worker.sender.gates["changelog"] = asyncio.Event()
    worker.next_round = [("b", 0)]
    worker.finish("a")
    await until_idle()

    assert "a sent to changelog" in worker.journal
    assert "b acknowledged by alerts" in worker.journal
    assert "b sent to changelog" not in worker.journal
    gate.set()
    await until_idle()
    assert at(worker.journal, "a finished") < at(worker.journal, "b sent to changelog")


async def test_what_is_handed_over_during_a_round_waits_for_the_next(worker: Worker) -> None:
    under_way = [worker.writes.round_under_way]
    gate = await finish_two(worker, held_at="changelog")
    under_way.append(worker.writes.round_under_way)
    assert worker.entries("b sent") == []

    gate.set()
    await until_idle()

    assert [*under_way, worker.writes.round_under_way] == [False, True, False]
    assert ["a finished", "b finished"] == worker.entries("finished")


async def test_a_chunk_sends_nothing_before_the_outputs_of_the_chunk_before_it_are_acknowledged(
    worker: Worker,
) -> None:
    """Or a customer's decisions could stand in their topic the wrong way round."""
    gate = await finish_two(worker, held_at="alerts")

    assert worker.entries("b sent") == []
    assert worker.entries("changelog") + worker.entries("finished") == []
    gate.set()
    await until_idle()
    assert ["a finished", "b finished"] == worker.entries("finished")


async def test_chunks_that_wait_for_the_same_step_take_it_together(worker: Worker) -> None:
    gate = worker.sender.gates["alerts"] = asyncio.Event()
    worker.finish("a")
    await until_idle()
    worker.finish("b")
    worker.finish("c")
    gate.set()
    await until_idle()

    assert [["a"], ["b", "c"]] == [chunks for topic, chunks in worker.sender.batches if topic == "decisions"]
    assert ["a finished", "b finished", "c finished"] == worker.entries("finished")


async def test_a_customer_changed_by_several_chunks_of_a_round_is_written_once_as_the_last_left_it(
    worker: Worker,
) -> None:
    gate = worker.sender.gates["alerts"] = asyncio.Event()
    worker.finish("a")
    await until_idle()
    worker.finish("b", customer="x")
    worker.finish("c", customer="x")
    gate.set()
    await until_idle()

    assert ["a stored at 7 in 0", "x stored at 7 in 0"] == worker.entries("stored")
    assert worker.store.newest == {b"a": b"profile after a", b"x": b"profile after c"}
    assert ["a finished", "b finished", "c finished"] == worker.entries("finished")


async def test_partitions_go_together_each_into_its_own_changelog(worker: Worker) -> None:
    gate = worker.sender.gates["alerts"] = asyncio.Event()
    worker.finish("a")
    await until_idle()
    worker.finish("b", partition=1)
    worker.finish("c", partition=2)
    gate.set()
    await until_idle()

    changelogs = [chunks for topic, chunks in worker.sender.batches if topic == "changelog"]
    assert changelogs == [["a"], ["b"], ["c"]]
    assert ["a stored at 7 in 0", "b stored at 7 in 1", "c stored at 7 in 2"] == worker.entries("stored")
    assert at(worker.journal, "c sent to changelog") < at(worker.journal, "b acknowledged by changelog")


@pytest.mark.parametrize("topic", [*OUTPUTS, DESTINATIONS.changelog])
async def test_a_failed_send_ends_the_process_before_any_later_step(worker: Worker, topic: str) -> None:
    worker.sender.failing.add(topic)

    worker.finish("a")
    await until_idle()

    assert worker.ended == ["SendFailed"]
    assert worker.entries("stored") + worker.entries("durable") + worker.entries("finished") == []
    assert topic == "changelog" or "a sent to changelog" not in worker.journal


async def test_a_full_disk_ends_the_process_before_the_chunk_is_acknowledged(worker: Worker) -> None:
    worker.store.full = True

    worker.finish("a")
    await until_idle()

    assert worker.ended == ["OSError"]
    assert worker.journal[-1] == "a acknowledged by changelog"


async def test_no_chunk_goes_on_behind_one_that_failed(worker: Worker) -> None:
    worker.sender.failing.add("changelog")
    worker.finish("a")
    await until_idle()
    worker.sender.failing.clear()
    worker.finish("b")
    await until_idle()

    assert worker.ended == ["SendFailed"]
    assert "b sent to changelog" not in worker.journal
    assert worker.entries("finished") == []


@pytest.mark.parametrize("step", ["alerts", "changelog"])
async def test_a_worker_that_was_paused_within_a_step_writes_nothing_in_the_next(
    worker: Worker, step: str
) -> None:
    gate = worker.sender.gates[step] = asyncio.Event()
    worker.finish("a")
    await until_idle()
    worker.paused = True
    gate.set()
    await until_idle()

    assert worker.ended == ["SendFailed"]
    later = worker.journal[worker.journal.index(f"a acknowledged by {step}") + 1 :]
    assert set(later) <= {"between rounds"}


async def test_a_worker_that_was_paused_before_it_sends_sends_nothing(worker: Worker) -> None:
    worker.paused = True
    worker.finish("a")
    await until_idle()

    assert worker.ended == ["SendFailed"]
    assert worker.journal == []


async def test_a_chunk_without_profiles_writes_neither_changelog_nor_store(worker: Worker) -> None:
    """All of it was malformed, or seen before."""
    nothing_new = work("a", 0, "a")._replace(states={}, decisions=[], alerts=[], activity={})

    acknowledge = partial(worker.journal.append, "finished")
    worker.writes.finish(InFlightChunk(nothing_new, acknowledge, Stopwatch(lambda: 0.0), worker))
    await until_idle()

    assert [entry for entry in worker.journal if entry != "between rounds"] == [
        "a sent to dead-letters",
        "a acknowledged by dead-letters",
        "finished",
    ]
