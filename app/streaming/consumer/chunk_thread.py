"""The Kafka client's thread: fetches chunks, seeks to committed offsets, commits."""

import asyncio
from collections.abc import Mapping
from typing import cast

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from app.adapters.kafka.records import Record
from app.streaming.consumer.chunk_transport import ChunkTransport

Fetched = dict[TP, list[Record]]


class ChunkConsumerThread(AIOKafkaConsumerThread):
    """Fetches without Faust's method queue, which makes several tasks of each call.

    ``fetch_epoch`` is the number of the last seek to committed offsets, and None from the start of a rebalance to its
    seek. Records fetched in an earlier epoch are not delivered: they are read again after the seek, and delivering
    them first would move the states of their keys past the records between.
    """

    transport: ChunkTransport
    fetch_epoch: int | None = None
    _rebalancing = False
    _seeks = 0

    async def getmany(  # type: ignore[override]  # adds the fetch epoch to Faust's result; its one caller, ChunkConsumer, needs it
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109  # Faust's signature
    ) -> tuple[Fetched, int | None]:
        """Return records by partition and their fetch epoch; cancelling the call cancels the fetch."""
        # A copy: the event loop pauses and resumes partitions while the thread iterates.
        fetching = self._fetch(active_partitions and set(active_partitions), timeout)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetching, self.thread_loop))

    async def _fetch(self, active_partitions: set[TP] | None, timeout: float) -> tuple[Fetched, int | None]:  # noqa: ASYNC109  # as above
        consumer = self._ensure_consumer()
        fetched = await self._fetch_records(
            consumer,
            cast(set[TP], active_partitions),
            timeout=timeout,
            max_records=consumer._max_poll_records,  # noqa: SLF001  # as Faust does
        )
        # Read right after the fetch, in the thread that seeks.
        return cast(Fetched, fetched), self.fetch_epoch

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The earliest signal of a rebalance: nothing fetched so far is delivered any more."""
        self.fetch_epoch, self._rebalancing = None, True
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
        first = await consumer.beginning_offsets([tp for tp in tps if tp not in committed])
        # Nothing is awaited from here on, so no rebalance can begin between the check and the new epoch.
        if self._rebalancing or generation != self.app.consumer_generation_id:
            raise IllegalStateError("partitions are being reassigned; they are sought after that")
        offsets = {**first, **committed}
        for tp, offset in offsets.items():
            consumer.seek(tp, offset)
        self._seeks += 1
        self.fetch_epoch = self._seeks
        return offsets

    async def _committed(self, consumer: AIOKafkaConsumer, tps: list[TP]) -> dict[TP, int]:
        """Return the offsets to resume at; partitions without one are left out.

        A commit in flight while its topic is deleted and created again is stored for the new topic: only commits noted with
        the current topic id count.
        """
        if self.transport.start_offsets is not None:
            return dict(self.transport.start_offsets(tps))
        # The public call returns offsets without the metadata noted with them.
        found = await consumer._coordinator.fetch_committed_offsets(tps)  # noqa: SLF001
        return {
            tp: entry.offset
            for tp, entry in found.items()
            # Tools that reset offsets leave the metadata empty.
            if entry.offset > 0 and entry.metadata in {"", self._topic_id(tp)}
        }

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit as Faust does, with each offset's topic id as metadata; False when the group refuses."""
        assigned = self.assignment()
        noted = {
            tp: OffsetAndMetadata(offset, self._topic_id(tp))
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
            await self.crash(error)
            return False
        return True

    def _topic_id(self, tp: TP) -> str:
        return self.transport.topic_ids.get(tp.topic, "")
