"""Sends transactions or raw records to a topic, as fast as possible or open-loop at a rate."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from app.adapters.kafka.security import Cluster
from app.domain.transaction import Transaction
from app.traffic.pacing import Pace
from app.traffic.sending import Progress, RecordSender, open_sender

Record = tuple[bytes | None, bytes]
"""Key and value."""

CHUNK_RECORDS = 1_000
"""Records put before the sender's tasks may run: about 3 ms of work."""

_Item = TypeVar("_Item")
_encode = msgspec.json.Encoder().encode


class Produced(msgspec.Struct, frozen=True, kw_only=True):
    """The result of sending; every record is acknowledged."""

    produced: int
    seconds: float
    late_seconds: float = 0.0
    """Largest delay of a record against its intended time; 0 without a rate."""

    @property
    def events_per_s(self) -> float:
        return self.produced / self.seconds if self.seconds > 0 else 0.0

    def summary(self) -> dict[str, int | float]:
        """Return what ``--json`` prints."""
        return {
            "produced": self.produced,
            "seconds": round(self.seconds, 3),
            "events_per_s": round(self.events_per_s, 1),
            "late_seconds": round(self.late_seconds, 3),
        }


async def produce(
    transactions: Iterable[Transaction] | AsyncIterable[Transaction],
    *,
    topic: str,
    kafka: Cluster,
    rate: float | None = None,
    on_progress: Progress | None = None,
) -> Produced:
    """Send each transaction under its customer's key; a customer's transactions keep their order.

    ``rate`` is in events per second, None sends as fast as possible. ``on_progress`` receives the number of records
    acknowledged so far. Returns when all are acknowledged. Raises SendFailed when one is not, ConfigurationError when no
    broker answers or the topic is missing.
    """
    return await _send(transactions, record_of, topic, kafka, rate, on_progress)


async def produce_raw(
    records: Iterable[Record] | AsyncIterable[Record],
    *,
    topic: str,
    kafka: Cluster,
    rate: float | None = None,
    on_progress: Progress | None = None,
) -> Produced:
    """Send keys and values unchanged, malformed ones too; otherwise like ``produce``."""
    return await _send(records, lambda record: record, topic, kafka, rate, on_progress)


def record_of(transaction: Transaction) -> Record:
    """The record of a transaction, under its customer's key."""
    return transaction.customer_id.encode(), _encode(transaction)


async def _send(
    source: Iterable[_Item] | AsyncIterable[_Item],
    as_record: Callable[[_Item], Record],
    topic: str,
    kafka: Cluster,
    rate: float | None,
    on_progress: Progress | None,
) -> Produced:
    async with open_sender(topic, kafka, on_progress) as sender:
        chunks = (list(map(as_record, chunk)) async for chunk in _chunks(source))
        start_seconds = time.perf_counter()
        late_seconds = 0.0

        async def feed() -> None:
            nonlocal late_seconds
            if rate is None:
                await _feed_fast(sender, chunks)
            else:
                late_seconds = await _feed_paced(sender, chunks, rate)

        await sender.run(feed)
        seconds = time.perf_counter() - start_seconds
        return Produced(produced=sender.acknowledged, seconds=seconds, late_seconds=late_seconds)


async def _feed_fast(sender: RecordSender, chunks: AsyncIterator[list[Record]]) -> None:
    async for chunk in chunks:
        now_ms = time.time_ns() // 1_000_000
        for key, value in chunk:
            sender.put(key, value, now_ms)
        await sender.wait_for_capacity()


async def _feed_paced(sender: RecordSender, chunks: AsyncIterator[list[Record]], rate: float) -> float:
    """Send records at their intended times; return the largest delay in seconds.

    The timestamp of a record is its intended time, so that a delay of this sender counts as latency.
    """
    late_seconds, index = 0.0, 0
    pace: Pace | None = None
    async for chunk in chunks:
        # The clock starts with the first chunk, so that opening a file does not count as a delay.
        pace = pace or Pace(start_seconds=time.perf_counter(), rate=rate)
        wall_offset = time.time() - time.perf_counter()
        for key, value in chunk:
            due = pace.due_seconds(index)
            early = due - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            late_seconds = max(late_seconds, -early)
            sender.put(key, value, int((wall_offset + due) * 1000))
            index += 1
        await sender.wait_for_capacity()
    return late_seconds


async def _chunks(source: Iterable[_Item] | AsyncIterable[_Item]) -> AsyncIterator[Sequence[_Item]]:
    """Yield chunks of the source. An async source is live, so each of its items is a chunk of its own."""
    if isinstance(source, AsyncIterable):
        async for item in source:
            yield (item,)
        return
    items = iter(source)
    while chunk := tuple(itertools.islice(items, CHUNK_RECORDS)):
        yield chunk
