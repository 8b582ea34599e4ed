"""The thread of the Kafka client."""

import asyncio
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from faust.types import TP

from app.adapters.observability.causes import stack
from app.errors import FetchFailed, RightMissing
from app.settings import Settings, WorkerSettings
from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.consumer.chunk_thread import ChunkConsumerThread
from app.streaming.faust_app import build_app
from tests.unit.streaming.consumer.consumer import FIRST


class Client:
    """The Kafka client and its fetcher, for one fetch. Its records show the call's arguments."""

    _closed = False
    _max_poll_records = 500

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error
        self._fetcher = self._subscriptions = self._subscription = self
        self.subscription = None

    def fetch_context(self) -> Any:
        return nullcontext()

    async def fetched_records(self, partitions: set[TP], timeout: float, max_records: int) -> Any:  # noqa: ASYNC109  # the client's signature
        if self._error is not None:
            raise self._error
        return {tp: [threading.get_ident(), timeout, max_records] for tp in partitions}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            TopicAuthorizationFailedError("payments"),
            "refuse Read on the topic payments",
        ),
        (KafkaError("Unexpected error during data retrieval"), "Unexpected error during data retrieval"),
    ],
)
async def test_an_error_of_a_fetch_ends_the_process_with_its_name(
    consumer: Any, error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust would end it with 1. The end of the process is the one thing that a test cannot let happen."""
    ended: list[BaseException] = []

    def end(doing: str, cause: BaseException) -> None:
        assert doing == "fetching records"
        ended.append(cause)
        raise cause

    monkeypatch.setattr("app.streaming.delivery.fail_stop.end_process", end)
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Client(error)

    with pytest.raises(FetchFailed, match=why):
        await thread._fetch({FIRST}, 0.5)
    assert [FetchFailed] == [type(cause) for cause in ended]
    thread.thread_loop.close()


class Refusing:
    """A client whose commits the brokers refuse."""

    def assignment(self) -> set[TP]:
        return {FIRST}

    async def commit(self, _: object) -> None:
        raise GroupAuthorizationFailedError("scorers")


async def test_a_commit_without_the_right_to_it_ends_the_process_with_the_name_of_the_right(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust would end it with 1, and the stop of the worker would try to commit again."""

    def end(doing: str, cause: BaseException) -> None:
        assert doing == "committing offsets"
        raise cause

    monkeypatch.setattr("app.streaming.delivery.fail_stop.end_process", end)
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Refusing()

    with pytest.raises(RightMissing, match="Read on the group scorers"):
        await thread._commit({FIRST: 7})
    thread.thread_loop.close()


async def test_an_error_that_the_client_does_not_foresee_ends_the_process_without_its_text(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that fails on a record: Faust would log the error with what it quotes, and end the process with 1."""
    ended: list[tuple[str, BaseException]] = []
    monkeypatch.setattr("app.streaming.consumer.chunk_thread.end_process", lambda *why: ended.append(why))
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Client(failed := IndexError("4111111111111111"))

    with suppress(UnboundLocalError):  # the process would have ended
        await thread._fetch({FIRST}, 0.5)
    assert ended == [("fetching records", failed)]
    assert "4111111111111111" not in stack(failed)
    thread.thread_loop.close()


async def test_a_stopped_consumer_is_no_failure(consumer: Any) -> None:
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Client(ConsumerStoppedError())

    with pytest.raises(ConsumerStoppedError):
        await thread._fetch({FIRST}, 0.5)
    thread.thread_loop.close()


def test_a_poll_is_bounded_by_records(tmp_path: Path) -> None:
    """Faust gives the limit to the client, for whose limit a fetch asks (below): a few kilobytes may unpack to more records
    than memory holds.
    """
    app = build_app(Settings(worker=WorkerSettings(data_dir=str(tmp_path))))

    assert app.conf.broker_max_poll_records == 50_000


async def test_a_fetch_runs_in_the_thread_of_the_kafka_client(consumer: Any) -> None:
    """Through Faust's own ``_fetch_records``, whose signature is not ours."""
    thread = ChunkConsumerThread(consumer)
    thread._consumer = Client()
    running = threading.Thread(target=thread.thread_loop.run_forever)
    running.start()
    try:
        fetched: object = await thread.getmany({FIRST}, 0.5)
    finally:
        thread.thread_loop.call_soon_threadsafe(thread.thread_loop.stop)
        running.join()
        thread.thread_loop.close()

    assert fetched == ({FIRST: [running.ident, 0.5, 500]}, None, {})


def test_the_consumer_fetches_with_that_thread(consumer: Any) -> None:
    thread = ChunkConsumer._new_consumer_thread(consumer)

    assert type(thread) is ChunkConsumerThread
    thread.thread_loop.close()


class CancelledClient:
    """Its stop awaits a task of its own that it has cancelled."""

    async def start(self) -> None:
        self._task = asyncio.create_task(asyncio.sleep(3600))
        self._fetcher = SimpleNamespace(_fetch_task=self._task, _closed=True)
        self._coordinator = SimpleNamespace(_coordination_task=None, _push_error_to_user=None)

    async def stop(self) -> None:
        self._task.cancel()
        await self._task


class CancelledThread(ChunkConsumerThread):
    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:  # noqa: ARG002  # Faust's signature
        return CancelledClient()


async def test_a_stop_that_a_cancelled_task_of_the_client_ends_is_a_stop(consumer: Any) -> None:
    """The library of services would end the thread without a report, and wait a minute for one."""
    thread = CancelledThread(consumer)
    await thread.start()

    async with asyncio.timeout(10):
        await thread.stop()
