"""Sends records as whole batches of a partition.

A batch costs about 1 µs a record; one ``send()`` of aiokafka for each record costs 60 µs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from app.adapters.kafka import fast_zstd
from app.adapters.kafka.records import OutRecord, TopicBatch
from app.adapters.kafka.security import client_options
from app.errors import SendFailed
from app.settings import KafkaSettings

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Size of a batch before compression. Topics allow twice as much (max.message.bytes), so a batch always fits."""

_LARGE_BYTES = 64 * 1024
"""Batches of this size or larger are compressed in a thread while the next chunk is computed. Smaller ones take less
time than the start of a thread's work.
"""


class _Sent(NamedTuple):
    """A batch handed to the producer."""

    acknowledgement: Awaitable[Any]
    records: int


def _allow() -> None:
    return


class BatchProducer:
    """A producer that waits for the acknowledgement of all in-sync replicas and raises SendFailed without it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: Any = None
        # A worker has about one core: more threads would not compress faster.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compress")
        self._compressing: set[asyncio.Future[Any]] = set()
        fast_zstd.install()

    async def start(self) -> None:
        """Connect. Call it in the event loop that sends."""
        settings = self._settings
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            acks="all",
            request_timeout_ms=int(settings.produce_timeout_seconds * 1000),
            compression_type=None if settings.compression == "none" else settings.compression,
            max_batch_size=MAX_BATCH_BYTES,
            # Not the size of a record: batches of several partitions share a request.
            max_request_size=2 * MAX_BATCH_BYTES,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Close the connection. Records whose send was not awaited may be lost."""
        if self._producer is not None:
            await self._producer.stop()
        self._pool.shutdown()

    async def send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:
        """Send the records in order and return the offset of the last one, -1 for none. Raises as ``send_all``."""
        (last_offset,) = await self.send_all([TopicBatch(topic, partition, records)])
        return last_offset

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None] = _allow) -> list[int]:
        """Send the records of each output in order and return the offset of its last record, -1 for none.

        Returns when every record is acknowledged. Raises SendFailed otherwise; any part may have arrived by then.
        ``guard`` is called first and before each batch; an exception that it raises stops the sending there.
        """
        guard()
        named = list(outputs)
        batches = [list(self._batches(output.records)) for output in named]
        await self._compress(chain.from_iterable(batches))
        sent: list[list[_Sent]] = [[] for _ in named]
        # The client holds the second batch of a partition back until the first is acknowledged. Handing over the first
        # batch of every partition before any second one lets them share one request to each broker.
        for turn in zip_longest(*batches):
            for output, batch, own in zip(named, turn, sent, strict=True):
                if batch is not None:
                    guard()  # again: the worker may have been fenced while it compressed or waited
                    own.append(await self._hand_over(output, batch))
        return [await _last_offset(*entry) for entry in zip(named, sent, strict=True)]

    async def _compress(self, batches: Iterable[Any]) -> None:
        """Build the bytes of large batches in a thread before the producer is given any batch.

        The producer would compress in the event loop. And it sends the first batch at once and delays the others until
        the answer, so all batches must be ready before the first is handed over; batches of concurrent sends included.
        """
        loop = asyncio.get_running_loop()
        own = [
            loop.run_in_executor(self._pool, batch._build)  # noqa: SLF001  # no public way
            for batch in batches
            if batch.size() >= _LARGE_BYTES
        ]
        for one in own:
            self._compressing.add(one)
            one.add_done_callback(self._compressing.discard)
        while self._compressing:
            await asyncio.wait(self._compressing)
        for one in own:
            one.result()  # raises its own error only; the error of a concurrent send is raised there

    async def _hand_over(self, output: TopicBatch, batch: Any) -> _Sent:
        with _failing(output):
            acknowledgement = await self._producer.send_batch(batch, output.topic, partition=output.partition)
        return _Sent(acknowledgement, batch.record_count())

    def _batches(self, records: Sequence[OutRecord]) -> Iterator[Any]:
        batch = self._producer.create_batch()
        for record in records:
            if _append(batch, record):
                continue
            batch.close()  # a full batch refuses the record, which begins the next one
            yield batch
            batch = self._producer.create_batch()
            if not _append(batch, record):
                raise SendFailed(f"a record is larger than the largest batch ({MAX_BATCH_BYTES} bytes)")
        if batch.record_count():
            batch.close()
            yield batch


async def _last_offset(output: TopicBatch, batches: Iterable[_Sent]) -> int:
    last_offset = -1
    with _failing(output):
        for batch in batches:
            # The acknowledgement holds the offset of the first record; offsets in a batch are consecutive.
            last_offset = (await batch.acknowledgement).offset + batch.records - 1
    return last_offset


@contextmanager
def _failing(output: TopicBatch) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise SendFailed(f"{output.topic}-{output.partition}: {error!r}") from error


def _append(batch: Any, record: OutRecord) -> bool:
    appended = batch.append(
        timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=list(record.headers)
    )
    return appended is not None
