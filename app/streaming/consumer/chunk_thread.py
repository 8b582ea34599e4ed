"""The Kafka client's thread: fetches chunks, seeks to committed offsets, commits."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.types import TP

from app.adapters.kafka.commit_notes import CommitNote, LostRecords
from app.adapters.kafka.protocol.rights import refused_right
from app.adapters.kafka.records import Record
from app.errors import FetchFailed, RightMissing
from app.streaming.consumer.chunk_transport import ChunkTransport
from app.streaming.consumer.client_tasks import ClientTasks, end_on_group_errors
from app.streaming.delivery.fail_stop import end_process, fail_stop

Fetched = dict[TP, list[Record]]


class Fetch(NamedTuple):
    """The result of one fetch."""

    records: Fetched
    fetch_epoch: int | None
    positions: Mapping[TP, int]
    """The next offset of each partition: behind its records, and behind the transaction markers and aborted records that
    follow them."""


def fetch_failed(error: KafkaError) -> FetchFailed:
    """What the brokers refused, and the remedy."""
    what = f"{type(error).__name__} {error}. If it repeats, look for the cause in the log of the brokers"
    return FetchFailed(refused_right(error, "Read") or what)


class ChunkConsumerThread(AIOKafkaConsumerThread):
    """Fetches without Faust's method queue, which makes several tasks of each call.

    ``fetch_epoch`` is the number of the last seek to committed offsets, and None from the start of a rebalance to its
    seek. Records fetched in an earlier epoch are not delivered: they are read again after the seek, and delivering
    them first would move the states of their keys past the records between.

    Before the seek a partition without a position begins at its first offset. After it, an offset that the log does not
    have is an error: the client would continue at the first one without a report.
    """

    transport: ChunkTransport
    fetch_epoch: int | None = None
    sought: Mapping[TP, int] = {}
    """The offsets of the last seek to committed offsets."""
    _rebalancing = False
    _seeks = 0
    _notes: Mapping[TP, CommitNote] = {}
    """What each commit of a partition stores. Read with the committed offsets, so that a loss stays noted."""

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        """Faust has no setting of the isolation level outside of its own transactions."""
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = self.transport.isolation_level  # noqa: SLF001  # the client reads it when it starts
        return consumer

    async def on_start(self) -> None:
        """Start the client, and end the process when one of its tasks ends by itself or has an error."""
        with fail_stop("connecting the consumer"):  # Faust would end the process with 1
            await super().on_start()
        consumer = self._ensure_consumer()
        ClientTasks().watch(consumer)
        end_on_group_errors(
            consumer, lambda error: end_process("taking part in the group", fetch_failed(error))
        )

    async def on_thread_stop(self) -> None:
        """Stop the client. A task that it cancels and awaits may end its stop, but not this thread.

        A thread that ends as cancelled does not report its end: the stop of the process would wait for it and be overdue.
        """
        with suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    def highwater(self, tp: TP) -> int:
        """The end of what may be fetched, as of the last fetch; the last stable offset if only committed records are read."""
        consumer = self._ensure_consumer()
        committed_only = self.transport.isolation_level == "read_committed"
        end = consumer.last_stable_offset(tp) if committed_only else consumer.highwater(tp)
        return cast(int, end)

    async def getmany(  # type: ignore[override]  # adds the fetch epoch to Faust's result; its one caller, ChunkConsumer, needs it
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109  # Faust's signature
    ) -> Fetch:
        """Fetch the records of some partitions; cancelling the call cancels the fetch."""
        # A copy: the event loop pauses and resumes partitions while the thread iterates.
        fetching = self._fetch(active_partitions and set(active_partitions), timeout)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetching, self.thread_loop))

    async def _fetch(self, active_partitions: set[TP] | None, timeout: float) -> Fetch:  # noqa: ASYNC109  # as above
        consumer = self._ensure_consumer()
        try:
            fetched = await self._fetch_records(
                consumer,
                cast(set[TP], active_partitions),
                timeout=timeout,
                max_records=consumer._max_poll_records,  # noqa: SLF001  # as Faust does
            )
        except OffsetOutOfRangeError as error:
            await self._resume_in_range(consumer, error.args[0])
            fetched = {}
        except KafkaError as error:
            with fail_stop("fetching records"):  # Faust would end the process with 1
                raise fetch_failed(error) from error
        except ConsumerStoppedError:
            raise
        except Exception as error:  # noqa: BLE001  # Faust would end the process with 1 and log the text, which may quote a record
            end_process("fetching records", error)
        # Read right after the fetch, in the thread that seeks.
        return Fetch(cast(Fetched, fetched), self.fetch_epoch, self._positions(consumer))

    def _positions(self, consumer: AIOKafkaConsumer) -> dict[TP, int]:
        """The positions without a wait: the client's public call waits where there is none."""
        subscription = consumer._subscription.subscription  # noqa: SLF001  # as above
        if self.fetch_epoch is None or subscription is None or subscription.assignment is None:
            return {}
        states = {tp: subscription.assignment.state_value(tp) for tp in subscription.assignment.tps}
        return {tp: state.position for tp, state in states.items() if state.has_valid_position}

    async def _resume_in_range(self, consumer: AIOKafkaConsumer, offsets: Mapping[TP, int]) -> None:
        """Continue at the first offsets of logs that do not have ``offsets``.

        Retention deleted them, or the topic was deleted and created again: then the first chunk shows it.
        """
        first = await consumer.beginning_offsets(list(offsets))
        if self._rebalancing:
            return
        assigned = consumer.assignment() & offsets.keys()
        self._report_lost({tp: offsets[tp] for tp in assigned}, first)
        for tp in assigned:
            consumer.seek(tp, first[tp])

    def _report_lost(self, next_offsets: Mapping[TP, int], first: Mapping[TP, int]) -> None:
        """Report, and note with the next commits, the records from ``next_offsets`` up to the ``first`` of the logs, if any."""
        lost = {tp: first[tp] - offset for tp, offset in sorted(next_offsets.items()) if first[tp] > offset}
        if not lost:
            return
        self.transport.on_lost([LostRecords(*tp, records, first[tp]) for tp, records in lost.items()])
        now_ms = time.time_ns() // 1_000_000
        noted = {tp: self._note(tp).after_loss(records, now_ms) for tp, records in lost.items()}
        self._notes = {**self._notes, **noted}

    def _refuse_missing_offsets(self, *, refuse: bool) -> None:
        strategy = OffsetResetStrategy.NONE if refuse else OffsetResetStrategy.EARLIEST
        self._ensure_consumer()._fetcher._default_reset_strategy = strategy  # noqa: SLF001  # the client's own is fixed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The earliest signal of a rebalance: nothing fetched so far is delivered any more."""
        self.fetch_epoch, self._rebalancing = None, True
        self._refuse_missing_offsets(refuse=False)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """The new partitions have no defined position until the seek."""
        self.fetch_epoch, self._rebalancing = None, False
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Seek every partition to its next record to finish, in one step.

        Faust seeks one partition after the other, so that a fetch in between is half before and half after the seek. It
        also leaves a partition without a commit at its position: records that a stopped flow dropped would be lost.
        """
        seeking = self._seek_to_committed(self.app.consumer_generation_id)
        return cast(dict[TP, int], await self.call_thread(lambda: seeking))

    async def _seek_to_committed(self, generation: int) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        tps = list(consumer.assignment())
        committed = await self._committed(consumer, tps)
        first = await consumer.beginning_offsets(tps)
        # Nothing is awaited from here on, so no rebalance can begin between the check and the new epoch.
        if self._rebalancing or generation != self.app.consumer_generation_id:
            raise IllegalStateError("partitions are being reassigned; they are sought after that")
        start = committed if self.transport.start_offsets is None else self.transport.start_offsets(tps)
        offsets = {tp: max(start.get(tp, 0), first[tp]) for tp in tps}
        # Start offsets may lie before the commit by markers and aborted records, which are in no file.
        read = {tp: max(start.get(tp, 0), committed.get(tp, 0)) for tp in start.keys() | committed.keys()}
        self._report_lost(read, first)
        for tp, offset in offsets.items():
            consumer.seek(tp, offset)
        self._refuse_missing_offsets(refuse=True)
        self.sought = offsets
        self._seeks += 1
        self.fetch_epoch = self._seeks
        return offsets

    async def _committed(self, consumer: AIOKafkaConsumer, tps: list[TP]) -> dict[TP, int]:
        """Return the committed offsets; partitions without one are left out.

        A commit in flight while its topic is deleted and created again is stored for the new topic: only commits noted with
        the current topic id count.
        """
        # The public call returns offsets without the metadata noted with them.
        found = await consumer._coordinator.fetch_committed_offsets(tps)  # noqa: SLF001
        notes = {tp: CommitNote.parse(entry.metadata) for tp, entry in found.items() if entry.offset >= 0}
        self._notes = {tp: note for tp, note in notes.items() if note.belongs_to(self._topic_id(tp))}
        return {tp: found[tp].offset for tp in self._notes}

    def _note(self, tp: TP) -> CommitNote:
        """The note of the partition's next commit."""
        return self._notes.get(tp, CommitNote())._replace(topic_id=self._topic_id(tp))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit as Faust does, with each offset's topic id as metadata; False when the group refuses."""
        assigned = self.assignment()
        noted = {
            tp: OffsetAndMetadata(offset, str(self._note(tp)))
            for tp, offset in offsets.items()
            if tp in assigned
        }
        try:
            await self._ensure_consumer().commit(noted)
        except CommitFailedError as error:
            if "already rebalanced" not in str(error):
                await self.crash(error)
            return False
        except KafkaError as error:
            with fail_stop("committing offsets"):  # Faust would end the process with 1
                if refused := refused_right(error, "Read"):
                    raise RightMissing(refused) from error
            await self.crash(error)
            return False
        return True

    def _topic_id(self, tp: TP) -> str:
        return self.transport.topic_ids.get(tp.topic, "")
