"""Sends records as whole batches of a partition, each under a producer identity.

A batch costs about 1 µs a record; one ``send()`` of aiokafka for each record costs 60 µs. The identity makes a batch that is
sent twice, because its acknowledgement was lost, count once. A partition that was claimed accepts nothing of its
former owner any more (docs/adr/0016-fenced-changelog.md).
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidTimestampError, KafkaError, ProducerFenced

from app.adapters.kafka import fast_zstd
from app.adapters.kafka.connection import ask_again
from app.adapters.kafka.producer_identity import ProducerIdentity, stamp
from app.adapters.kafka.producer_ids import ProducerIds
from app.adapters.kafka.protocol.rights import refused_right
from app.adapters.kafka.record_batches.header_names import append
from app.adapters.kafka.records import CLAIM_KEY, CLAIM_TOPIC_ID, OutRecord, TopicBatch
from app.adapters.kafka.security import client_options, servers
from app.errors import Fenced, SendFailed
from app.settings import KafkaSettings

MAX_BATCH_BYTES = 4 * 1024 * 1024
"""Size of a batch before compression. Topics allow twice as much (max.message.bytes), so a batch always fits."""

_LARGE_BYTES = 64 * 1024
"""Batches of this size or larger are compressed in a thread while the next chunk is computed. Smaller ones take less
time than the start of a thread's work.
"""
LOG_APPEND_TIME = 1
"""Type of a timestamp that the broker has set."""


class _Sent(NamedTuple):
    """A batch handed to the producer."""

    acknowledgement: Awaitable[Any]
    records: int
    sent_at: float
    """Seconds since the epoch."""


def _allow() -> None:
    return


def _ignore(_sent_at: float, _broker_ms: int) -> None:
    return


class BatchProducer:
    """A producer that waits for the acknowledgement of all in-sync replicas and raises SendFailed without it."""

    def __init__(
        self, settings: KafkaSettings, on_broker_time: Callable[[float, int], None] = _ignore
    ) -> None:
        """``on_broker_time`` gets the time of each send, and the broker's time (ms) where the topic stores it."""
        self._settings = settings
        self._on_broker_time = on_broker_time
        self._producer: Any = None
        # A worker has about one core: more threads would not compress faster.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compress")
        self._compressing: set[asyncio.Future[Any]] = set()
        self._ids: Any = None
        self._identity: ProducerIdentity | None = None
        """For partitions that are not claimed."""
        self._claimed: dict[tuple[str, int], ProducerIdentity] = {}
        self._claim_of: dict[str, str] = {}
        """By topic, the topic whose claims it shares."""
        self._claimed_ids: dict[str, str] = {}
        """By topic, the id that its claims name."""
        self._in_order: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        """By partition: held from the numbering of a batch until it is in the client's queue."""
        fast_zstd.install()

    async def start(self) -> None:
        """Connect. Call it in the event loop that sends. Raises BrokersUnreachable."""
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
        await ask_again(servers(settings), self._producer.start)
        self._ids = ProducerIds(self._producer.client)

    async def stop(self) -> None:
        """Close the connection. Records whose send was not awaited may be lost."""
        if self._producer is not None:
            await self._producer.stop()
        self._pool.shutdown()

    async def require_right_to_claim(self, topic: str) -> None:
        """Raise RightMissing when this user may not claim partitions of ``topic``."""
        with _failing(topic):
            await self._ids.require_right(_claim_name(topic, 0))

    def share_claims(self, topic: str, others: Iterable[str]) -> None:
        """Send to a partition of ``others`` under the claim of the same partition of ``topic``.

        Once the next owner has sent its first batch to such a partition, nothing of this one is accepted there.
        """
        self._claim_of |= dict.fromkeys(others, topic)

    def name_in_claims(self, topic: str, topic_id: str) -> None:
        """Name the id of ``topic`` in its claims: a reader of a copy of the topic recognises by it that it is a copy."""
        self._claimed_ids[topic] = topic_id

    async def claim(self, topic: str, partitions: Iterable[int]) -> None:
        """Become the only writer of these partitions: append a record behind which no former owner can append.

        Raises SendFailed, and ConfigurationError when this user may not claim.
        """
        await asyncio.gather(*(self._claim(topic, partition) for partition in partitions))

    async def renew_claims(self) -> None:
        """Raise the epoch of all claims, before the brokers forget a name that was not used for days.

        Raises Fenced when another worker has claimed one of the partitions.
        """
        for (topic, partition), identity in list(self._claimed.items()):
            with _failing(topic, partition):
                renewed = await self._ids.renew(_claim_name(topic, partition), identity)
            if self._claimed.get((topic, partition)) is identity:
                self._claimed[topic, partition] = renewed

    async def _claim(self, topic: str, partition: int) -> None:
        with _failing(topic, partition):
            self._claimed[topic, partition] = await self._ids.take_over(_claim_name(topic, partition))
        named = self._claimed_ids.get(topic, "")
        headers = [(CLAIM_TOPIC_ID, named.encode())] if named else []
        await self.send(topic, partition, [OutRecord(CLAIM_KEY, None, None, headers)])

    async def send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:
        """Send the records in order and return the offset of the last one, -1 for none. Raises as ``send_all``."""
        (last_offset,) = await self.send_all([TopicBatch(topic, partition, records)])
        return last_offset

    async def send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None] = _allow) -> list[int]:
        """Send the records of each output in order and return the offset of its last record, -1 for none.

        Returns when every record is acknowledged. Raises SendFailed otherwise; any part may have arrived by then.
        ``guard`` is called first and before each batch; an exception that it raises stops the sending there.
        """
        try:
            return await self._send_all(outputs, guard)
        except (SendFailed, asyncio.CancelledError):
            # Sequence numbers of batches that were not sent are missing: partitions would refuse the next ones.
            self._identity = None
            raise

    async def _send_all(self, outputs: Iterable[TopicBatch], guard: Callable[[], None]) -> list[int]:
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
        return [await self._last_offset(*entry) for entry in zip(named, sent, strict=True)]

    async def _compress(self, batches: Iterable[Any]) -> None:
        """Build the bytes of all batches before the producer is given any; those of large ones in a thread.

        The producer sends the first batch at once and delays the others until the answer, so all batches must be ready
        before the first is handed over; batches of concurrent sends included.
        """
        loop, own = asyncio.get_running_loop(), []
        for batch in batches:
            build = batch._build  # noqa: SLF001  # no public way
            if batch.size() >= _LARGE_BYTES:
                own.append(loop.run_in_executor(self._pool, build))
            else:
                build()
        for one in own:
            self._compressing.add(one)
            one.add_done_callback(self._compressing.discard)
        while self._compressing:
            await asyncio.wait(self._compressing)
        for one in own:
            one.result()  # raises its own error only; the error of a concurrent send is raised there

    async def _hand_over(self, output: TopicBatch, batch: Any) -> _Sent:
        topic, partition, records = output.topic, output.partition, batch.record_count()
        with _failing(topic, partition):
            async with self._in_order[topic, partition]:
                identity = await self._identity_for(topic, partition)
                # The client sends these bytes, also when it sends them again.
                stamp(batch._build(), identity, identity.number(topic, partition, records))  # noqa: SLF001  # no public way
                acknowledgement = await self._producer.send_batch(batch, topic, partition=partition)
        return _Sent(acknowledgement, records, time.time())

    async def _last_offset(self, output: TopicBatch, batches: Iterable[_Sent]) -> int:
        last_offset = -1
        with _failing(output.topic, output.partition):
            for batch in batches:
                written = await batch.acknowledgement
                if written.timestamp_type == LOG_APPEND_TIME:
                    self._on_broker_time(batch.sent_at, written.timestamp)
                # The acknowledgement holds the offset of the first record; offsets in a batch are consecutive.
                last_offset = written.offset + batch.records - 1
        return last_offset

    async def _identity_for(self, topic: str, partition: int) -> ProducerIdentity:
        if claimed := self._claimed.get((self._claim_of.get(topic, topic), partition)):
            return claimed
        if self._identity is None:
            self._identity = await self._ids.new()
        return self._identity

    def _batches(self, records: Sequence[OutRecord]) -> Iterator[Any]:
        batch = self._producer.create_batch()
        for record in records:
            if append(self._producer, batch, record):
                continue
            batch.close()  # a full batch refuses the record, which begins the next one
            yield batch
            batch = self._producer.create_batch()
            if not append(self._producer, batch, record):
                raise SendFailed(f"a record is larger than the largest batch ({MAX_BATCH_BYTES} bytes)")
        if batch.record_count():
            batch.close()
            yield batch


def _claim_name(topic: str, partition: int) -> str:
    """The transactional id that all owners of a partition share."""
    return f"{topic}-{partition}"


@contextmanager
def _failing(topic: str, partition: int | None = None) -> Iterator[None]:
    what = topic if partition is None else f"{topic}-{partition}"
    try:
        yield
    except ProducerFenced as error:
        raise Fenced(f"another worker has claimed {what}: this one may not write to it any more") from error
    except InvalidTimestampError as error:
        raise SendFailed(
            f"{what}: the broker refuses a timestamp as too far ahead of its clock (message.timestamp.after.max.ms). "
            "Synchronize the clocks of workers and brokers."
        ) from error
    except KafkaError as error:
        raise SendFailed(f"{what}: {refused_right(error, 'Write', topic) or str(error)}") from error
