"""The thread of the Kafka client: fetches chunks, seeks to where they go on, commits."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from app.streaming.consumer.chunk_transport import ChunkTransport


class ChunkConsumerThread(AIOKafkaConsumerThread):
    """The thread of the Kafka client, fetching without the method queue, which makes several tasks of each call.

    ``stand`` is the last seek to the committed offsets; None from the moment at which partitions begin to move until
    they are sought. What was fetched under another stand is not delivered: its place is read again after the next
    seek, and a chunk ahead of it would let its profiles skip what lies between.
    """

    transport: ChunkTransport
    stand: int | None = None
    _moving = False
    _seeks = 0

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # Faust's signature
        """Records per partition and the stand they were fetched under; cancelled in the thread when cancelled here."""
        # A copy: partitions are paused and resumed here while the thread looks at them.
        fetching = self._fetch(active_partitions and set(active_partitions), timeout)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(fetching, self.thread_loop))

    async def _fetch(self, active_partitions: set[TP] | None, timeout: float) -> tuple[Any, int | None]:  # noqa: ASYNC109  # as above
        consumer = self._ensure_consumer()
        fetched = await self._fetch_records(
            consumer,
            cast(set[TP], active_partitions),
            timeout=timeout,
            max_records=consumer._max_poll_records,  # noqa: SLF001  # as the stock one
        )
        return fetched, self.stand

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The first that is heard of a rebalance."""
        self.stand, self._moving = None, True
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Partitions have arrived; they stand anywhere until they are sought."""
        self.stand, self._moving = None, False
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> dict[TP, int]:
        """To where the next record to finish lies, in every partition at once.

        Faust seeks one after the other, so that a fetch between them is half before and half after the seek; and it
        leaves a partition without a commit where it stands: what a stopped flow dropped of it is never read again.
        """
        seeking = self._seek_to_committed(self.app.consumer_generation_id)
        return cast(dict[TP, int], await self.call_thread(lambda: seeking))

    async def _seek_to_committed(self, generation: int) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        tps = list(consumer.assignment())
        committed = await self._committed(consumer, tps)
        first = await consumer.beginning_offsets([tp for tp in tps if tp not in committed])
        if self._moving or generation != self.app.consumer_generation_id:
            raise IllegalStateError("partitions move again: they are sought after that")
        offsets = {**first, **committed}
        for tp, offset in offsets.items():
            consumer.seek(tp, offset)
        self._seeks += 1
        self.stand = self._seeks
        return offsets

    async def _committed(self, consumer: Any, tps: list[TP]) -> dict[TP, int]:
        """Of the log that is read. A commit that was under way while its topic was deleted arrives at the new one."""
        if self.transport.places is not None:
            return dict(self.transport.places(tps))
        found = await consumer._coordinator.fetch_committed_offsets(tps)  # noqa: SLF001  # with what was noted beside them
        return {
            tp: entry.offset
            for tp, entry in found.items()
            # A tool that resets offsets notes nothing.
            if entry.offset > 0 and entry.metadata in {"", self._topic_id(tp)}
        }

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """As the stock one, and notes beside each offset which log it counts in."""
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
