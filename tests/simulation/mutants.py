"""Mutants: each removes one part of the guarantee, and some schedule must detect it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import numpy as np

from app.computation import release
from app.errors import SendFailed
from app.features.fold import fold
from app.processing.stopwatch import Stopwatch
from app.streaming.delivery.changelog_guard import ChangelogGuard
from app.streaming.delivery.order_of_writes import InFlightChunk, OrderOfWrites
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.execution.chunk_runner import ChunkRunner
from app.streaming.state.restore import Versions
from tests.simulation.worker import PARTITION, fail_stop
from tests.simulation.world import Topics

Put = Callable[[Any, str, Any], None]
"""Signature of pytest's ``monkeypatch.setattr``."""
_publish, _write, _finish = OrderOfWrites._publish, OrderOfWrites._write, OrderOfWrites.finish


def no_guard(put: Put) -> None:
    """Neither already applied offsets nor repeated ids are recognised."""

    def unguarded(profiles: Any, events: Any, bounds: Any, topic_id: int) -> Any:
        ids = np.frombuffer(secrets.token_bytes(8 * len(events.transaction)), np.int64).copy()
        return fold(profiles, events._replace(transaction=ids), bounds, topic_id ^ secrets.randbits(63))

    put(release, "fold", unguarded)


def commit_before_durable(put: Put) -> None:
    """A chunk is acknowledged when it is computed, before its writes are durable."""

    def finish(order: OrderOfWrites[Any], chunk: InFlightChunk[Any]) -> None:
        chunk.acknowledge()
        _finish(order, chunk._replace(acknowledge=lambda: None))

    put(OrderOfWrites, "finish", finish)


def state_before_alert(put: Put) -> None:
    """Profiles are durable before decisions and alerts are sent."""

    async def publish(order: Any, chunks: list[Any]) -> None:
        await _write(order, chunks)
        await _publish(order, chunks)

    async def written(*_: object) -> None: ...

    put(OrderOfWrites, "_publish", publish)
    put(OrderOfWrites, "_write", written)


def store_before_changelog(put: Put) -> None:
    """RocksDB is written before the changelog."""

    async def write(order: Any, chunks: list[Any]) -> None:
        profiles = {key: value for chunk in chunks for key, value in chunk.computed.states.items()}
        if profiles:
            order._store.write(PARTITION, profiles, order._store.offset)
        await _write(order, chunks)

    put(OrderOfWrites, "_write", write)


def error_acknowledged(put: Put) -> None:
    """A failed send is ignored, and the chunk acknowledged."""

    async def publish(order: Any, chunks: list[Any]) -> None:
        with suppress(SendFailed):
            await _publish(order, chunks)

    put(OrderOfWrites, "_publish", publish)


def no_fence(put: Put) -> None:
    """A worker that was paused continues."""
    put(SessionFence, "check", lambda _: None)


def no_broker_fence(put: Put) -> None:
    """Brokers accept what a former owner sends."""
    put(Topics, "accepts", lambda *_: True)


def no_changelog_guard(put: Put) -> None:
    """Another worker's records in the changelog are neither refused nor detected."""
    no_broker_fence(put)
    put(ChangelogGuard, "write", lambda guard, *written: guard._store.write(*written))


def no_version_rule(put: Put) -> None:
    """Former owners may append, and a restore keeps the last version in the changelog."""
    no_broker_fence(put)
    put(
        Versions, "newest", lambda _, records, __: {key: value for key, value in records if value is not None}
    )


def chunks_side_by_side(put: Put) -> None:
    """A chunk does not wait for the previous chunk."""

    def at_once(order: Any, chunk: InFlightChunk[Any]) -> None:
        async def take() -> None:
            with suppress(asyncio.CancelledError), fail_stop("finishing a chunk"):
                await order._publish([chunk])
                await order._persist([chunk])

        order.tasks = [*getattr(order, "tasks", []), asyncio.create_task(take())]

    put(OrderOfWrites, "finish", at_once)


def answers_overtaken(put: Put) -> None:
    """Later chunks overtake a chunk that waits for an answer."""

    async def finish(runner: Any, batch: Any, computing: Any, stopwatch: Any) -> None:
        with suppress(asyncio.CancelledError), fail_stop("computing a chunk"):
            runner._write([batch], await computing, stopwatch)

    def advance(runner: Any, *, only_full: bool) -> None:
        while batch := runner._queue.take(PARTITION, only_full=only_full):
            stopwatch = Stopwatch(lambda: 0.0)
            computed = runner._compute([batch.chunk], stopwatch)
            if isinstance(computed, Awaitable):
                runner.asking = [
                    *getattr(runner, "asking", []),
                    asyncio.create_task(finish(runner, batch, computed, stopwatch)),
                ]
            else:
                runner._write([batch], computed, stopwatch)

    put(ChunkRunner, "_advance", advance)


ALL = (
    no_guard,
    commit_before_durable,
    state_before_alert,
    store_before_changelog,
    error_acknowledged,
    no_fence,
    no_broker_fence,
    no_changelog_guard,
    no_version_rule,
    chunks_side_by_side,
    answers_overtaken,
)
