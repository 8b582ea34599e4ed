"""The order of writes, with a sender and a store that only note what happened, and when."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from app.adapters.kafka_sender import OutRecord
from app.errors import SendFailed
from app.streaming.order_of_writes import OrderOfWrites, OutTopics
from app.streaming.stages import Stopwatch
from app.streaming.work import Work

TOPICS = OutTopics("decisions", "alerts", "dead-letters", "changelog")
Journal = list[str]


class ProcessEnded(BaseException):
    """Stands for the end of the process: nothing of it goes on after this."""


class NotingSender:
    """Notes sends and acknowledgements; a topic can be held back or made to fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.gates: dict[str, asyncio.Event] = {}
        self.failing: set[str] = set()

    async def send(self, topic: str, partition: int, records: Iterable[OutRecord]) -> int:  # noqa: ARG002  # the protocol's signature
        chunk = next(iter(records)).key
        assert chunk is not None
        self.journal.append(f"{chunk.decode()} sent to {topic}")
        await asyncio.sleep(0)
        if topic in self.gates:
            await self.gates[topic].wait()
        if topic in self.failing:
            raise SendFailed(topic)
        self.journal.append(f"{chunk.decode()} acknowledged by {topic}")
        return 7


class NotingStore:
    """Notes what is written; can be made to fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.full = False

    def write(self, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int) -> None:
        if self.full:
            raise OSError("no space left on device")
        for key in profiles:
            self.journal.append(f"{key.decode()} stored at {changelog_offset} in {partition}")


class Worker:
    """The steps under test and their surroundings."""

    def __init__(self) -> None:
        self.journal: Journal = []
        self.sender, self.store = NotingSender(self.journal), NotingStore(self.journal)
        self.writes = OrderOfWrites(self.sender, self.store, TOPICS, self._on_durable, self._guard)
        self.paused = False

    def finish(self, chunk: str, partition: int = 0) -> "asyncio.Task[None]":
        return self.writes.finish(
            work(chunk, partition), lambda: self.journal.append(f"{chunk} finished"), Stopwatch(lambda: 0.0)
        )

    def _on_durable(self, done: Work, _: Stopwatch) -> None:
        self.journal.extend(f"{key.decode()} durable" for key in done.profiles)

    def _guard(self) -> None:
        if self.paused:
            raise SendFailed("paused")


def work(chunk: str, partition: int = 0) -> Work:
    """A chunk that has something for every topic."""
    records = [OutRecord(chunk.encode(), b"")]
    return Work(
        partition=partition,
        number=1,
        last_offset=0,
        decisions=records,
        alerts=records,
        dead_letters=records,
        profiles={chunk.encode(): b"profile"},
        outcomes=[],
        sent_ms=[],
        rejected=[],
        replayed=0,
        duplicate=0,
        late=0,
    )


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    def end(doing: str, error: BaseException) -> None:
        raise ProcessEnded(doing) from error

    monkeypatch.setattr("app.streaming.fail_stop.end_process", end)
    return Worker()


async def until_idle() -> None:
    """Everything that can go on has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)


def at(journal: Journal, entry: str) -> int:
    assert entry in journal
    return journal.index(entry)


async def test_the_steps_of_a_chunk_follow_each_other(worker: Worker) -> None:
    await worker.finish("a")

    assert {f"a {done} {topic}" for done in ("sent to", "acknowledged by") for topic in TOPICS[:3]} == set(
        worker.journal[:6]
    )
    assert worker.journal[6:] == [
        "a sent to changelog",
        "a acknowledged by changelog",
        "a stored at 7 in 0",
        "a durable",
        "a finished",
    ]


@pytest.mark.parametrize("topic", TOPICS[:3])
async def test_no_profile_is_written_while_an_output_is_not_acknowledged(worker: Worker, topic: str) -> None:
    worker.sender.gates[topic] = asyncio.Event()
    task = worker.finish("a")
    await until_idle()

    assert [entry for entry in worker.journal if "changelog" in entry or "stored" in entry] == []
    worker.sender.gates[topic].set()
    await task
    assert worker.journal[-1] == "a finished"


async def test_the_store_waits_for_the_changelog(worker: Worker) -> None:
    gate = worker.sender.gates["changelog"] = asyncio.Event()
    task = worker.finish("a")
    await until_idle()

    assert worker.journal[-1] == "a sent to changelog"
    gate.set()
    await task
    assert worker.journal[-1] == "a finished"


async def test_a_chunk_sends_its_outputs_while_the_chunk_before_it_waits_for_the_changelog(
    worker: Worker,
) -> None:
    gate = worker.sender.gates["changelog"] = asyncio.Event()
    first, second = worker.finish("a"), worker.finish("b")
    await until_idle()

    assert "b acknowledged by alerts" in worker.journal
    assert "b sent to changelog" not in worker.journal
    gate.set()
    await asyncio.gather(first, second)
    assert at(worker.journal, "a finished") < at(worker.journal, "b sent to changelog")


async def test_a_chunk_whose_outputs_are_faster_still_finishes_after_the_chunk_before_it(
    worker: Worker,
) -> None:
    gate = worker.sender.gates["alerts"] = asyncio.Event()
    first = worker.finish("a")
    await until_idle()
    del worker.sender.gates["alerts"]
    second = worker.finish("b")
    await until_idle()

    assert [entry for entry in worker.journal if entry.endswith(("changelog", "finished"))] == []
    gate.set()
    await asyncio.gather(first, second)
    assert [entry for entry in worker.journal if "finished" in entry] == ["a finished", "b finished"]


async def test_partitions_do_not_wait_for_each_other(worker: Worker) -> None:
    worker.sender.gates["changelog"] = asyncio.Event()
    stuck = worker.finish("a", partition=0)
    await until_idle()
    del worker.sender.gates["changelog"]

    await worker.finish("b", partition=1)

    assert "b finished" in worker.journal
    assert "a finished" not in worker.journal
    stuck.cancel()


@pytest.mark.parametrize("topic", TOPICS)
async def test_a_failed_send_ends_the_process_before_any_later_step(worker: Worker, topic: str) -> None:
    worker.sender.failing.add(topic)

    with pytest.raises(ProcessEnded):
        await worker.finish("a")
    await until_idle()

    after = [
        entry for entry in worker.journal if "stored" in entry or "durable" in entry or "finished" in entry
    ]
    assert after == []
    assert topic == "changelog" or "a sent to changelog" not in worker.journal


async def test_a_full_disk_ends_the_process_before_the_chunk_is_acknowledged(worker: Worker) -> None:
    worker.store.full = True

    with pytest.raises(ProcessEnded):
        await worker.finish("a")

    assert worker.journal[-1] == "a acknowledged by changelog"


async def test_no_chunk_goes_on_behind_one_that_failed(worker: Worker) -> None:
    worker.sender.failing.add("changelog")
    first = worker.finish("a")
    worker.sender.failing.discard("alerts")
    second = worker.finish("b")

    assert [ProcessEnded, ProcessEnded] == [
        type(outcome) for outcome in await asyncio.gather(first, second, return_exceptions=True)
    ]
    assert "b sent to changelog" not in worker.journal


@pytest.mark.parametrize("step", ["alerts", "changelog"])
async def test_a_worker_that_was_paused_within_a_step_writes_nothing_in_the_next(
    worker: Worker, step: str
) -> None:
    gate = worker.sender.gates[step] = asyncio.Event()
    task = worker.finish("a")
    await until_idle()
    worker.paused = True
    gate.set()

    with pytest.raises(ProcessEnded):
        await task

    assert worker.journal[-1] == f"a acknowledged by {step}"


async def test_a_chunk_without_profiles_writes_neither_changelog_nor_store(worker: Worker) -> None:
    """All of it was malformed, or seen before."""
    nothing_new = work("a")._replace(profiles={}, decisions=[], alerts=[])

    await worker.writes.finish(nothing_new, lambda: worker.journal.append("finished"), Stopwatch(lambda: 0.0))

    assert worker.journal == ["a sent to dead-letters", "a acknowledged by dead-letters", "finished"]
