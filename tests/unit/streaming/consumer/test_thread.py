"""The thread of the Kafka client."""

import threading
from contextlib import nullcontext
from typing import Any

from faust.types import TP

from app.streaming.consumer.chunk_consumer import ChunkConsumer
from app.streaming.consumer.chunk_thread import ChunkConsumerThread
from tests.unit.streaming.consumer.consumer import FIRST


class Client:
    """The Kafka client and its fetcher, for one fetch. Its records show the call's arguments."""

    _closed = False
    _max_poll_records = 500

    def __init__(self) -> None:
        self._fetcher = self._subscriptions = self._subscription = self
        self.subscription = None

    def fetch_context(self) -> Any:
        return nullcontext()

    async def fetched_records(self, partitions: set[TP], timeout: float, max_records: int) -> Any:  # noqa: ASYNC109  # the client's signature
        return {tp: [threading.get_ident(), timeout, max_records] for tp in partitions}


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
