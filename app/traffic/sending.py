"""Sends records to one topic: batched per partition, acknowledged by all replicas, in order per key.

Each partition has a queue of batches. Records are appended to the last one; a task sends the oldest batch as soon as the
batch before is acknowledged. A single record is therefore sent at once, and many records in full batches.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.partitioner import partition_of
from app.adapters.kafka.protocol.rights import refused_right
from app.adapters.kafka.record_batches.header_names import append
from app.adapters.kafka.records import Headers, OutRecord
from app.adapters.kafka.security import Cluster, client_options, servers
from app.domain.words import named
from app.errors import ConfigurationError, SendFailed

Progress = Callable[[int], None]

MAX_UNACKNOWLEDGED = 50_000
"""Records that may wait in memory: what the fastest sender sends in some hundred milliseconds."""
BATCH_BYTES = 256 * 1024
REQUEST_BYTES = 4 * 1024 * 1024
ACKNOWLEDGE_SECONDS = 30.0
"""Time after which an unacknowledged batch has failed: enough for a broker to restart or a leader to change."""


class _PartitionQueue:
    """The batches of one partition that wait to be sent; records are appended to the last one."""

    def __init__(self, partition: int, producer: AIOKafkaProducer) -> None:
        self.partition = partition
        self._producer = producer
        self._batches: deque[BatchBuilder] = deque()
        self._filled = asyncio.Event()

    def append(self, record: OutRecord) -> None:
        if self._batches and append(self._producer, self._batches[-1], record):
            return
        batch = self._producer.create_batch()
        append(self._producer, batch, record)
        self._batches.append(batch)
        self._filled.set()

    async def take(self) -> BatchBuilder:
        """Wait for a batch, and close and return the oldest."""
        while not self._batches:
            self._filled.clear()
            await self._filled.wait()
        batch = self._batches.popleft()
        batch.close()
        return batch


class RecordSender:
    """Sends records to one topic; ``open_sender`` creates it."""

    def __init__(
        self, producer: AIOKafkaProducer, topic: str, partitions: int, on_progress: Progress | None
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._queues = [_PartitionQueue(partition, producer) for partition in range(partitions)]
        self._put = 0
        self._acknowledged = 0
        self._settled = asyncio.Event()
        self._on_progress = on_progress

    @property
    def acknowledged(self) -> int:
        """Number of records acknowledged by the brokers."""
        return self._acknowledged

    def put(self, key: bytes | None, value: bytes | None, timestamp_ms: int, headers: Headers = ()) -> None:
        """Append a record to the partition of its key; records without a key take the partitions in turn."""
        partition = self._put % len(self._queues) if key is None else partition_of(key, len(self._queues))
        self._queues[partition].append(OutRecord(key, value, timestamp_ms, headers))
        self._put += 1

    async def wait_for_capacity(self) -> None:
        """Let the sending tasks run, and wait while too many records are unacknowledged."""
        await asyncio.sleep(0)
        await self._wait_until_at_most(MAX_UNACKNOWLEDGED)

    async def run(self, feed: Callable[[], Awaitable[None]]) -> None:
        """Run ``feed``, then wait until all records are acknowledged. The first failure cancels everything."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._send_batches(queue)) for queue in self._queues]
                await feed()
                await self._wait_until_at_most(0)
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _wait_until_at_most(self, records: int) -> None:
        while self._put - self._acknowledged > records:
            self._settled.clear()
            await self._settled.wait()

    async def _send_batches(self, queue: _PartitionQueue) -> None:
        while True:
            batch = await queue.take()
            try:
                # aiokafka retries a batch of an idempotent producer without end, so the bound is set here.
                async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                    await (await self._producer.send_batch(batch, self._topic, partition=queue.partition))
            except (KafkaError, TimeoutError) as error:
                what = refused_right(error, "Write", self._topic) or f"{named(error)}. Check the brokers."
                raise SendFailed(
                    f"{self._topic}: {self._put - self._acknowledged} records are not acknowledged, "
                    f"{self._acknowledged} are: {what} Then send again: transactions already scored are recognised by their "
                    "transaction_id."
                ) from error
            self._acknowledged += batch.record_count()
            self._settled.set()
            if self._on_progress is not None:
                self._on_progress(self._acknowledged)


@asynccontextmanager
async def open_sender(
    topic: str, kafka: Cluster, on_progress: Progress | None = None, compression: str = "zstd"
) -> AsyncIterator[RecordSender]:
    """Open a sender. Raises ConfigurationError when no broker answers or the topic is missing; it is never created here."""
    partitions = await _partition_count(topic, kafka)
    producer = AIOKafkaProducer(
        **client_options(kafka),
        enable_idempotence=True,
        compression_type=None if compression == "none" else compression,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=int(ACKNOWLEDGE_SECONDS * 1000),
        linger_ms=0,
    )
    try:
        await ask_again(servers(kafka), producer.start, "Write", topic)
        yield RecordSender(producer, topic, partitions, on_progress)
    except BaseException:
        # `stop` waits for records in flight, possibly without end, unless the task that sends them has ended.
        if (task := producer._sender.sender_task) is not None:  # noqa: SLF001  # it has no public abort
            task.cancel()
        raise
    finally:
        await producer.stop()


async def _partition_count(topic: str, kafka: Cluster) -> int:
    async with kafka_admin.connect(kafka) as admin:
        found = await admin.find({topic: ()})
    if topic not in found:
        raise ConfigurationError(f"Topic {topic} does not exist. `fraudstream topics ensure` creates it.")
    return found[topic].partitions
