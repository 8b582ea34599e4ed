"""One simulated worker: the service's own parts, assembled as in RiskWorker."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple, cast

import numpy as np

from app.domain.acceptance import Acceptance
from app.domain.decision import ModelReference, Thresholds
from app.features import delayed_features
from app.features.window import Bounds
from app.processing.chunk import Chunk
from app.processing.decode_chunk import SourceLog
from app.processing.fold_chunk import ChunkFold, FoldedChunks
from app.processing.score_chunk import ChunkScorer, ScoredChunk
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.scoring.lineup import Lineup
from app.scoring.model import Distribution, Rows, Scores
from app.settings import Stream
from app.streaming.delivery.changelog_guard import ChangelogGuard
from app.streaming.delivery.order_of_writes import Destinations, InFlightChunk, OrderOfWrites
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.execution.chunk_runner import ChunkRunner, RunnerContext
from app.streaming.monitoring.health import Health
from app.streaming.state.restore import Gap, Restore
from tests.simulation.source import DAY_MS, NOW_MS
from tests.simulation.world import (
    CHANGELOG,
    ChangelogReader,
    Disk,
    NoProgress,
    Record,
    Sender,
    Topics,
)

DECISIONS, ALERTS, DEAD_LETTERS = "decisions", "alerts", "dead letters"
_TOPICS = {Stream.DECISIONS: DECISIONS, Stream.ALERTS: ALERTS, Stream.DEAD_LETTERS: DEAD_LETTERS}
SESSION_SECONDS = 10.0
CACHE_BYTES = 1_500
"""Room for a few profiles: most are read from the disk again."""
CHUNK_EVENTS = 6
MOST_RECORDS = 100
PARTITION = 0

_acting: ContextVar["Worker"] = ContextVar("acting")


class LargeAmounts:
    """Scores amounts above 1,000 as suspicious."""

    reference = ModelReference(name="large", version="1", digest="d")
    thresholds = Thresholds(review=0.5, decline=0.9)
    distributions: dict[str, Distribution] = {}  # noqa: RUF012  # the protocol asks for a dict; never changed

    def score(self, rows: Rows) -> Scores:
        return np.where(rows[:, 0] > 1_000, 0.7, 0.1)

    def contributions(self, rows: Rows) -> None:  # noqa: ARG002  # the protocol's signature
        return None


class Event(NamedTuple):
    """A chunk as Faust delivers it to the agent."""

    value: Chunk
    worker: "Worker"

    def ack(self) -> None:
        self.worker.finished = self.value.records[-1].offset + 1


class Answered(NamedTuple):
    """A chunk's computation after an answer. Not a coroutine, so that a worker's death leaves it unfinished."""

    answer: asyncio.Future[None]
    decide: Callable[[], list[ScoredChunk]]

    def __await__(self) -> Generator[Any, None, list[ScoredChunk]]:
        yield from self.answer.__await__()
        return self.decide()


class Worker:
    """Owns the partition until it dies, or until it is paused and another worker takes over."""

    def __init__(self, disk: Disk, topics: Topics, clock: Callable[[], float], position: int) -> None:
        self.disk = disk
        self.sender = Sender()
        self.position = position
        """Offset of the next record to fetch."""
        self.finished = position
        self.died_of: BaseException | None = None
        self.broken: AssertionError | None = None
        self.cut_off = False
        self.asked: list[asyncio.Future[None]] = []
        """Answers that chunks wait for; the partition's next chunk waits with them."""
        self._topics = topics
        self._session_fence = SessionFence(SESSION_SECONDS, clock)
        self._profiles = StateCache(disk, CACHE_BYTES)
        bounds = Bounds(DAY_MS, 4096)
        log = SourceLog("transactions", 1)
        fold = ChunkFold(log, Acceptance(), bounds, self._profiles)
        self._scorer = ChunkScorer(fold, Lineup(LargeAmounts()))
        destinations = Destinations(_TOPICS, CHANGELOG)
        self._changelog_guard = ChangelogGuard(disk)
        writes = OrderOfWrites[ScoredChunk](
            self.sender, self._changelog_guard, destinations, self._session_fence.check
        )
        context = RunnerContext(CHUNK_EVENTS, MOST_RECORDS, Health(1.0, clock))
        self._runner = ChunkRunner(context, self._compute, writes, self._on_durable)

    @property
    def alive(self) -> bool:
        return self.died_of is None

    @property
    def idle(self) -> bool:
        """True when nothing is in flight."""
        return self.finished == self.position and not self.sender.in_flight

    async def restore(self, reader: ChangelogReader) -> None:
        """Claim the changelog, then restore up to its end, as BulkRecovery does."""
        self.sender.epoch = self._topics.claim()
        restore = Restore(CHANGELOG, self.disk, cast(Any, NoProgress()), lambda: not self.alive)

        @contextmanager
        def opened() -> Iterator[ChangelogReader]:
            yield reader

        gap = Gap(self.disk.offset + 1, len(self._topics[CHANGELOG]))
        await restore.run({PARTITION: gap}, lambda: _entered(opened()))
        self._changelog_guard.begin(PARTITION, self.disk.offset)

    def take(self, records: list[Record]) -> None:
        """Take a fetched chunk, as RiskWorker.accept does."""
        self.position = records[-1].offset + 1
        with self._at_work(), fail_stop("scoring a chunk"):
            self._runner.take(cast(Any, Event(Chunk(PARTITION, cast(Any, records)), self)))

    def beat(self) -> None:
        """Beat, as SessionFence.run does at intervals."""
        with self._at_work(), fail_stop("beating"):
            self._session_fence.beat()

    def kill(self, cause: BaseException) -> None:
        """End the worker: it begins no further step; batches in flight may still arrive."""
        self.died_of = self.died_of or cause
        for sending in self.sender.in_flight:
            sending.acknowledged.cancel()
        for question in self.asked:
            question.cancel()

    def answer(self) -> None:
        """Answer the oldest question, as Redis or its timeout does."""
        question = self.asked.pop(0)
        if not question.done():
            question.set_result(None)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        token = _acting.set(self)
        try:
            with suppress(asyncio.CancelledError):
                yield
        finally:
            _acting.reset(token)

    def _compute(
        self, chunks: Sequence[Chunk], stopwatch: Stopwatch
    ) -> list[ScoredChunk] | Awaitable[list[ScoredChunk]]:
        """Compute as RiskWorker does: chunks are folded before Redis is asked."""
        folded = self._scorer.fold(chunks, stopwatch)
        if chunks[0].records[0].offset % 2:
            return self._decide(folded, stopwatch)
        self.asked.append(asyncio.get_running_loop().create_future())
        return Answered(self.asked[-1], lambda: self._decide(folded, stopwatch))

    def _decide(self, folded: FoldedChunks, stopwatch: Stopwatch) -> list[ScoredChunk]:
        return self._scorer.decide(folded, delayed_features.absent(folded.touched), NOW_MS, stopwatch)

    def _on_durable(self, finished: Sequence[InFlightChunk[ScoredChunk]]) -> None:
        for chunk in finished:
            self._profiles.release(chunk.computed.partition, chunk.computed.number)


class _entered:  # noqa: N801  # used as a function
    """Wraps a context manager as an asynchronous one."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    async def __aenter__(self) -> Any:
        return self._manager.__enter__()

    async def __aexit__(self, *error: object) -> Any:
        return self._manager.__exit__(*error)


@contextmanager
def fail_stop(doing: str) -> Iterator[None]:
    """The service's fail_stop for one of several workers in a process: it ends that worker only."""
    worker = _acting.get()
    if not worker.alive:
        raise asyncio.CancelledError(doing)
    try:
        yield
    except asyncio.CancelledError:
        raise
    except AssertionError as error:
        worker.broken = error  # the error of a task would be lost
        raise
    except Exception as error:  # as in the service, any error ends the worker
        worker.kill(error)
        raise asyncio.CancelledError(doing) from error
