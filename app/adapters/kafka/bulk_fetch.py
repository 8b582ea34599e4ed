"""Reads whole partitions in bulk with Kafka's Fetch request.

aiokafka's consumer costs twice as much a record. It also cannot recognise the end of a log whose last records were
compacted away: it waits forever for records that do not exist. A Fetch response without records proves that there are
none up to the end offset.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from app.adapters.kafka.protocol.fetch import fetch_answers
from app.adapters.kafka.protocol.rights import refused_right
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.record_batches.contained_fetch import log_passed_over
from app.adapters.kafka.record_batches.limits import in_force
from app.adapters.kafka.records import CLAIM_KEY, Unreadable, claimed_topic_id
from app.adapters.kafka.security import Cluster, client_options, servers
from app.adapters.kafka.transactions.aborted import AbortedTransactions
from app.adapters.kafka.transactions.isolation import READ_COMMITTED, isolation_code
from app.errors import RestoreFailed

FETCH_BYTES = 8 * 1024 * 1024
"""Bytes of one response, as stored. A single larger batch is still returned whole."""
SLICE_RECORDS = 4_000
"""Minimum of records in a slice, unless they are long. Work on a slice blocks the event loop for tens of ms."""
RETRY_SECONDS = 0.25
GIVE_UP_SECONDS = 60.0
"""Longer than the election of a new leader takes. After it the worker exits and its supervisor restarts it."""
_AT_ONCE_MS = 0


class Slice(NamedTuple):
    """Keys and values of consecutive records of a partition, in order of offset; a value of None is a tombstone."""

    records: list[tuple[bytes, bytes | None]]
    next_offset: int
    """The offset to read next. Offsets before it that are not in ``records`` no longer exist."""
    claimed_topic_ids: frozenset[str] = frozenset()
    """The topic ids that claims among ``records`` name."""


class FetchedRecords(NamedTuple):
    """One response: the records from ``offset`` on, up to FETCH_BYTES."""

    data: bytes
    offset: int
    end: int
    """The end of the requested range."""
    aborted: Sequence[tuple[int, int]] = ()
    """Producer id and first offset of the aborted transactions among these records."""
    partition_name: str = "the partition"
    """TOPIC-NUMBER."""

    def slices(self) -> Iterator[Slice]:
        """Keys and values, slice by slice. Raises RestoreFailed where a record cannot be read: a state would be missing."""
        for records, next_offset in self.decoded(pass_over=False):
            for record in records:
                if type(record.value) is Unreadable:
                    raise RestoreFailed(
                        f"{self.partition_name} cannot be read at offset {record.offset}: {record.value.why}"
                    )
            claims = {claimed_topic_id(record.headers) for record in records if record.key == CLAIM_KEY}
            yield Slice(
                [(record.key, record.value) for record in records], next_offset, frozenset(claims - {""})
            )

    def decoded(self, *, pass_over: bool = True) -> Iterator[tuple[list[Any], int]]:
        """Complete records, slice by slice, each with the offset to read next.

        Unreadable records are logged and passed over. Raises RestoreFailed with ``pass_over`` False, and where their end is
        unknown.
        """
        if not self.data:
            yield [], self.end  # compaction removed the last records before the end
        records: list[Any] = []
        offset, stop, size, most_bytes = self.offset, None, 0, in_force().poll_bytes
        for batch in read_batches(self.data, self.offset, AbortedTransactions(self.aborted).hides):
            records += batch.records
            size += sum(len(record.value or b"") for record in batch.records)
            offset, stop = batch.next_offset, batch.stop
            if stop is not None:
                if not pass_over:
                    break
                offset = stop.next_offset or offset
                log_passed_over(self.partition_name, stop)
            if len(records) >= SLICE_RECORDS or size >= most_bytes:
                yield records, offset
                records, size = [], 0
        if records or offset > self.offset:
            yield records, offset
        if stop is not None and (not pass_over or stop.next_offset is None):
            raise RestoreFailed(f"{self.partition_name} cannot be read from {stop}")


class BulkFetcher:
    """Reads from partition leaders; waits for an election, for throttling to end and for a leader to catch up."""

    def __init__(self, client: AIOKafkaClient, isolation: int = READ_COMMITTED) -> None:
        self._client = client
        self._isolation = isolation

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> FetchedRecords:
        """The records from ``offset`` on. ``end`` is an offset up to which the log is known to be readable.

        Raises RestoreFailed when the leader gives no answer within GIVE_UP_SECONDS.
        """
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                return await self._fetch(topic, partition, offset, end)
            except (KafkaError, _NotReady) as error:
                if not error.retriable or time.monotonic() > deadline:
                    why = refused_right(error, "Read", topic) or str(error)
                    raise RestoreFailed(
                        f"{topic}-{partition} cannot be read from offset {offset} to {end}: {why}"
                    ) from error
            await asyncio.sleep(RETRY_SECONDS)
            # The usual cause is a new leader, which the cached metadata do not show.
            await self._client.force_metadata_update()

    async def _fetch(self, topic: str, partition: int, offset: int, end: int) -> FetchedRecords:
        await self._client.add_topic(topic)
        leader = self._client.cluster.leader_for_partition(TopicPartition(topic, partition))
        if leader is None or leader < 0:
            raise _NotReady("no leader")
        wanted = [(topic, [(partition, offset, FETCH_BYTES)])]
        request = FetchRequest(_AT_ONCE_MS, 0, FETCH_BYTES, self._isolation, wanted)
        response = await self._client.send(leader, request)
        if not response.topics:  # brokers leave the data out while they throttle a client
            raise _NotReady(f"throttled for {response.throttle_time_ms} ms")
        (answer,) = fetch_answers(response)  # one partition was requested
        if answer.error_code:
            raise for_code(answer.error_code)
        committed = self._isolation == READ_COMMITTED
        readable = answer.last_stable_offset if committed else answer.high_watermark
        # After an election the leader's offsets may be older than the one that gave ``end``. An empty response would
        # then look like the end of a compacted log, and records would be skipped.
        if readable < end:
            raise _NotReady(f"the log is readable up to {readable}")
        return FetchedRecords(answer.data, offset, end, answer.aborted, f"{topic}-{partition}")


@asynccontextmanager
async def open_bulk_fetcher(kafka: Cluster) -> AsyncIterator[BulkFetcher]:
    """A BulkFetcher on a connection of its own. Raises RestoreFailed when no broker answers."""
    client = AIOKafkaClient(**client_options(kafka))
    try:
        await client.bootstrap()
        yield BulkFetcher(client, isolation_code(kafka))
    except KafkaError as error:
        raise RestoreFailed(f"no broker of {servers(kafka)} answers: {error}") from error
    finally:
        await client.close()


class _NotReady(Exception):
    """The leader cannot answer yet, and Kafka's response has no error code for it."""

    retriable = True
