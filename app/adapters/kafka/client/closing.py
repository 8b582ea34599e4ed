"""Closes the connections of every Kafka client of this process in bounded time, also where the broker does not answer.

To close a TLS connection, uvloop, the event loop of workers, sends a notice and waits up to 30 s for the broker's. A broker may never send it: TLS 1.3 does
not require it, and a Kafka broker that reads the notice together with a request forgets that the connection is closed. aiokafka
waits for the end of its connections, so the stop of a worker was overdue, and a command took half a minute longer. Without TLS, a
broker that does not read has the same effect while data waits to be sent.

aiokafka's fetcher also cancels its requests when it closes, and awaits them. One that waits to be repeated, because the broker is
away, ends as cancelled; its caller would take that for a cancellation of its own.
"""

import asyncio
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher

CLOSE_SECONDS = 1.0
"""No request is open then. Most brokers end the connection within milliseconds, or when the fetch that they hold ends."""

_connection: Any = AIOKafkaConnection
_close_connection = _connection.close
_fetcher: Any = Fetcher
_close_fetcher = _fetcher.close


def install() -> None:
    """Change all clients of this process. A release of aiokafka that moved these methods fails at the imports above."""
    _connection.close = _close_in_time
    _fetcher.close = _close_alone


def _close_in_time(self: Any, reason: Any = None, exc: Any = None) -> Any:
    """As aiokafka's: returns a future of the end. A connection that is open after CLOSE_SECONDS is cut off."""
    writer = self._writer
    closed = _close_connection(self, reason, exc)
    if writer is not None and not closed.done():
        cut_off = self._loop.call_later(CLOSE_SECONDS, writer.transport.abort)
        closed.add_done_callback(lambda _: cut_off.cancel())
    return closed


async def _close_alone(self: Any) -> None:
    """End the requests before aiokafka does: their cancellation is not the caller's."""
    self._closed = True
    await _ended({self._fetch_task})  # first: it begins requests
    await _ended(self._pending_tasks)
    self._pending_tasks.clear()
    await _close_fetcher(self)


async def _ended(tasks: "set[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
