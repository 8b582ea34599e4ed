"""Counts the records that a reader has still to get: without transaction markers and records that it will not get."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from app.adapters.kafka.protocol.fetch import FetchAnswer
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.transactions.aborted import AbortedTransactions

FETCH_BYTES = 128 * 1024
MOST_FETCHES = 32
"""After so many without a record for the reader, what follows is not read."""


class Waiting(NamedTuple):
    """The records from an offset on."""

    records: int
    """Exact while they fit into one fetch. Of what follows every offset counts, also those of markers."""
    oldest_ms: int | None
    """Timestamp of the oldest, in ms since the epoch; None when there is none, or none was read."""

    def seconds(self, now_ms: int) -> float | None:
        """The age of the oldest, at least 0; 0 without records, None when it is unknown."""
        if self.oldest_ms is None:
            return None if self.records else 0.0
        return max(0.0, (now_ms - self.oldest_ms) / 1000)


Fetch = Callable[[int], Awaitable[FetchAnswer | None]]
"""Fetches from an offset; None when the leader does not answer now."""


async def waiting_records(fetch: Fetch, offset: int, end: int) -> Waiting:
    """What waits from ``offset`` up to ``end``, which is the end of what the reader may read."""
    for _ in range(MOST_FETCHES):
        if offset >= end:
            return Waiting(0, None)
        answer = await fetch(offset)
        if answer is None or answer.error_code:
            return Waiting(end - offset, None)
        seen = _seen(answer, offset)
        if seen.oldest_ms is not None:
            return Waiting(seen.records + max(0, end - seen.next_offset), seen.oldest_ms)
        # Without data, compaction removed what was there.
        offset = seen.next_offset if answer.data else end
    return Waiting(end - offset, None)


class _Seen(NamedTuple):
    records: int
    oldest_ms: int | None
    next_offset: int


def _seen(answer: FetchAnswer, offset: int) -> _Seen:
    records, oldest_ms, next_offset = 0, None, offset
    for batch in read_batches(answer.data, offset, AbortedTransactions(answer.aborted).hides):
        records += len(batch.records)
        if oldest_ms is None and batch.records:
            oldest_ms = int(batch.records[0].timestamp)
        next_offset = batch.next_offset
    return _Seen(records, oldest_ms, next_offset)
