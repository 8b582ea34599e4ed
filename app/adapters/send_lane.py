"""The way to one partition: one send at a time, and all that wait meanwhile go together as the next.

A client sends one batch of a partition per request. Chunks of many partitions that tell one partition something would
each take a request of their own, one behind the other; together they take one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

RecordT = TypeVar("RecordT")


class Sent(NamedTuple):
    """A batch that was acknowledged."""

    first_offset: int
    records: int


Deliver = Callable[[Sequence[RecordT]], Awaitable[Sequence[Sent]]]
"""Returns when all records are acknowledged, as the batches that they became."""


class _Waiting(NamedTuple, Generic[RecordT]):
    records: Sequence[RecordT]
    arrived: asyncio.Future[int]
    """The offset of the last record."""


class SendLane(Generic[RecordT]):
    """To one partition."""

    def __init__(self, deliver: Deliver[RecordT]) -> None:
        self._deliver = deliver
        self._waiting: list[_Waiting[RecordT]] = []
        self._running: asyncio.Task[None] | None = None

    async def send(self, records: Sequence[RecordT]) -> int:
        """The offset of the last record, once all are acknowledged; -1 for none. Raises what delivering raises."""
        if not records:
            return -1
        waiting = _Waiting(records, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await waiting.arrived

    async def _run(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                sent = await self._deliver([record for each in together for record in each.records])
            except Exception as error:  # noqa: BLE001  # whoever waits raises it
                _fail(together, error)
            else:
                _tell(together, sent)
        self._running = None


def _fail(together: Sequence[_Waiting[RecordT]], error: Exception) -> None:
    for each in together:
        if not each.arrived.done():
            each.arrived.set_exception(error)


def _tell(together: Sequence[_Waiting[RecordT]], sent: Sequence[Sent]) -> None:
    """Each its last offset. Offsets of one batch follow one another, those of two need not."""
    offsets = [batch.first_offset + place for batch in sent for place in range(batch.records)]
    end = 0
    for each in together:
        end += len(each.records)
        if not each.arrived.done():
            each.arrived.set_result(offsets[end - 1])
