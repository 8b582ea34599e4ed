"""The way to one partition: one delivery at a time, and all that is sent meanwhile goes together as the next.

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


class SendLane(Generic[RecordT]):
    """To one partition."""

    def __init__(self, deliver: Deliver[RecordT]) -> None:
        self._deliver = deliver
        self._gathered: list[RecordT] = []
        self._delivery: asyncio.Task[Sequence[Sent]] | None = None
        """Of what is gathered, or of what was last."""

    async def send(self, records: Sequence[RecordT]) -> int:
        """The offset of the last record, once all are acknowledged; -1 for none. Raises what delivering raises."""
        if not records:
            return -1
        delivery = self._next_delivery()
        self._gathered.extend(records)
        last = len(self._gathered) - 1
        # Whoever gives up must not take the others' records with it.
        return _offset(await asyncio.shield(delivery), last)

    def _next_delivery(self) -> asyncio.Task[Sequence[Sent]]:
        if self._delivery is None or not self._gathered:
            self._delivery = asyncio.create_task(self._deliver_after(self._delivery))
        return self._delivery

    async def _deliver_after(self, before: asyncio.Task[Sequence[Sent]] | None) -> Sequence[Sent]:
        if before is not None and not before.done():
            await asyncio.wait({before})
        records, self._gathered = self._gathered, []
        return await self._deliver(records)


def _offset(sent: Sequence[Sent], place: int) -> int:
    """Of the record at ``place``. Offsets of one batch follow one another, those of two need not."""
    for batch in sent:
        if place < batch.records:
            return batch.first_offset + place
        place -= batch.records
    raise IndexError("fewer records were acknowledged than were sent")
