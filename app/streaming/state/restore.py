"""A worker's profiles brought up to the end of their changelog, in bulk, before it decides anything.

Faust would replay the changelog record by record. Here a partition is read with large fetches, and each slice of
records goes into RocksDB as one batch together with the offset it reaches: given up at any moment, what was
written stays valid and the next restore goes on from there.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from app.adapters.kafka.bulk_fetch import Slice
from app.errors import RestoreFailed
from app.features.state import lineage
from app.streaming.state.restore_progress import Progress

PARTITIONS_AT_ONCE = 2
"""One is decoded while the answer for the other travels; more would only take memory."""
SLOTS = 2**21
"""Of a filter of keys, a byte each: few reads in vain up to a million customers a partition."""


class Store(Protocol):
    """The local databases, one per partition. ``write`` is atomic."""

    def is_new(self, partition: int) -> bool: ...

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...

    def write(
        self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int
    ) -> None: ...


class Fetched(Protocol):
    """What one fetch brought."""

    def slices(self) -> Iterable[Slice]: ...


class Log(Protocol):
    """Whole partitions; raises RestoreFailed when there is nothing to be had from ``offset`` or up to ``end``."""

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> Fetched: ...


class Gap(NamedTuple):
    """What a partition's database lacks: the changelog from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Restore:
    """Closes the gaps between ``topic`` and ``store``.

    ``abandoned`` says that partitions are moving. Once it has, the databases may be another worker's and are not
    touched any more.
    """

    def __init__(self, topic: str, store: Store, progress: Progress, abandoned: Callable[[], bool]) -> None:
        self._topic = topic
        self._store = store
        self._progress = progress
        self._abandoned = abandoned
        self._slots = asyncio.Semaphore(PARTITIONS_AT_ONCE)

    async def run(
        self, gaps: Mapping[int, Gap], open_bulk_fetcher: Callable[[], AbstractAsyncContextManager[Log]]
    ) -> bool:
        """Close every partition's gap; False when it was abandoned. Raises RestoreFailed."""
        for partition, gap in gaps.items():
            self._refuse_shorter_log(partition, gap)
        behind = {partition: gap for partition, gap in gaps.items() if gap.start < gap.end}
        self._progress.begin(sorted(gaps), sum(gap.end - gap.start for gap in behind.values()))
        if behind:
            async with open_bulk_fetcher() as log:
                await _together(self._close(log, partition, gap) for partition, gap in behind.items())
        if self._abandoned():
            return False
        self._progress.end()
        return True

    async def _close(self, log: Log, partition: int, gap: Gap) -> None:
        async with self._slots:
            offset, held = gap.start, KeyFilter() if self._store.is_new(partition) else None
            while offset < gap.end and not self._abandoned():
                fetched = await log.fetch(self._topic, partition, offset, gap.end)
                offset = await self._apply(partition, offset, fetched, held)

    async def _apply(self, partition: int, offset: int, fetched: Fetched, held: "KeyFilter | None") -> int:
        """Write what was fetched from ``offset`` on; where reading goes on."""
        for records, next_offset in fetched.slices():
            if self._abandoned():
                break
            keys = [key for key, _ in records] if held is None else held.among(records)
            stored = dict(zip(keys, self._store.read(partition, keys), strict=True))
            self._store.write(partition, newest(records, stored), next_offset - 1)
            self._progress.advance(len(records), next_offset - offset)
            offset = next_offset
            await asyncio.sleep(0)
        return offset

    def _refuse_shorter_log(self, partition: int, gap: Gap) -> None:
        if gap.start > gap.end:
            raise RestoreFailed(
                f"the local profiles stand at offset {gap.start - 1} of {self._topic}-{partition}, which ends at "
                f"{gap.end - 1}: it was cut or made anew. Where its content is right, delete "
                "FRAUDSTREAM_WORKER_DATA_DIR and start again."
            )


class KeyFilter:
    """Keys that a database may hold by now which held none at first: reads of all others are spared.

    One byte a slot, found by the key's hash; two keys that share one cost a read in vain.
    """

    def __init__(self) -> None:
        self._slots = bytearray(SLOTS)

    def among(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[bytes]:
        """Keys of ``records`` that may be held. From now on all of them may be."""
        held, slots = [], self._slots
        for key, _ in records:
            slot = hash(key) % SLOTS
            if slots[slot]:
                held.append(key)
            else:
                slots[slot] = 1
        return held


def newest(
    records: Iterable[tuple[bytes, bytes | None]], stored: Mapping[bytes, bytes | None]
) -> dict[bytes, bytes | None]:
    """The version to keep of each key; ``stored`` is what the database holds.

    A worker that was paused and lost its partitions may have appended an old version after a newer one: of two
    versions the one that applied more of its log wins. A tombstone is an operator's word: this customer is to
    be forgotten.
    """
    kept: dict[bytes, bytes | None] = {}
    for key, value in records:
        known = kept.get(key, stored.get(key))
        if value is None or known is None or not is_older(value, known):
            kept[key] = value
    return kept


def is_older(value: bytes, known: bytes) -> bool:
    """True when ``value`` applied less of the same source log than ``known``."""
    topic_id, applied_offset = lineage(value)
    known_topic_id, known_offset = lineage(known)
    return topic_id == known_topic_id and applied_offset < known_offset


async def _together(coroutines: Iterable[Coroutine[None, None, None]]) -> None:
    """All at once; when one fails, or this is cancelled, none goes on."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
