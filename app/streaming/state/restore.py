"""Restores a worker's states from their changelog, in bulk, before it computes anything.

Faust would read the changelog record by record. Here a partition is read in large fetches, and each slice of records
goes into RocksDB as one batch together with its last offset. A restore may be abandoned at any moment: what was written
stays valid, and the next restore resumes behind it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from itertools import takewhile
from typing import NamedTuple, Protocol

from app.adapters.kafka.bulk_fetch import Slice
from app.adapters.kafka.records import CLAIM_KEY
from app.errors import RestoreFailed, StateCorrupt
from app.features.state import lineage
from app.streaming.state.restore_progress import RestoreProgress

PARTITIONS_AT_ONCE = 2
"""One is written while the next is fetched; more would only take memory."""
SLOTS = 2**21
"""Size of a key filter in bytes: few useless reads with up to a million keys per partition."""


class Store(Protocol):
    """The local databases, one per partition. ``write`` is atomic."""

    def is_new(self, partition: int) -> bool: ...

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...

    def write(
        self, partition: int, profiles: Mapping[bytes, bytes | None], changelog_offset: int
    ) -> None: ...


class Fetched(Protocol):
    """The result of one fetch."""

    def slices(self) -> Iterable[Slice]: ...


class Log(Protocol):
    """Reads partitions; raises RestoreFailed when the records from ``offset`` up to ``end`` are not available."""

    async def fetch(self, topic: str, partition: int, offset: int, end: int) -> Fetched: ...


class Gap(NamedTuple):
    """Changelog offsets that a partition's database lacks: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class Restore:
    """Closes the gaps between ``topic`` and ``store``.

    ``abandoned`` returns True once partitions are being reassigned. From then on the databases may be closed or
    belong to the next assignment, and nothing is read from or written to them.
    """

    def __init__(
        self,
        topic: str,
        store: Store,
        progress: RestoreProgress,
        abandoned: Callable[[], bool],
        topic_id: str = "",
    ) -> None:
        self.topic = topic
        self._topic_id = topic_id
        self._store = store
        self._progress = progress
        self._abandoned = abandoned
        self._slots = asyncio.Semaphore(PARTITIONS_AT_ONCE)
        self.versions: dict[int, Versions] = {}
        """By partition, of those that had a gap."""

    async def run(
        self, gaps: Mapping[int, Gap], open_bulk_fetcher: Callable[[], AbstractAsyncContextManager[Log]]
    ) -> bool:
        """Close every partition's gap; return False when abandoned. Raises RestoreFailed."""
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
            offset, key_filter = gap.start, KeyFilter() if self._store.is_new(partition) else None
            versions = self.versions[partition] = Versions()
            while offset < gap.end and not self._abandoned():
                fetched = await log.fetch(self.topic, partition, offset, gap.end)
                offset = await self._apply(partition, offset, fetched, versions, key_filter)

    async def _apply(
        self,
        partition: int,
        offset: int,
        fetched: Fetched,
        versions: "Versions",
        key_filter: "KeyFilter | None",
    ) -> int:
        """Write the records fetched from ``offset``; return the next offset to fetch."""
        for records, next_offset, claimed_topic_ids in fetched.slices():
            if self._abandoned():
                break
            self._refuse_copy(partition, claimed_topic_ids)
            keys = [key for key, _ in records] if key_filter is None else key_filter.possibly_stored(records)
            stored = dict(zip(keys, self._store.read(partition, keys), strict=True))
            self._write(
                partition, versions.newest(records, stored), next_offset - 1, trailing_claims(records)
            )
            self._progress.advance(len(records), next_offset - offset)
            offset = next_offset
            await asyncio.sleep(0)
        return offset

    def _write(
        self, partition: int, states: Mapping[bytes, bytes | None], last_offset: int, claims: int
    ) -> None:
        """Write states, and the claims that follow them apart: the store records from which offset on no state changed."""
        if states and claims:
            self._store.write(partition, states, last_offset - claims)
            states = {}
        self._store.write(partition, states, last_offset)

    def _refuse_copy(self, partition: int, claimed_topic_ids: AbstractSet[str]) -> None:
        """A copy holds states that outputs of the copied cluster follow, and the copying may append older ones at any time."""
        if others := claimed_topic_ids - {self._topic_id}:
            raise RestoreFailed(
                f"{self.topic}-{partition} was copied from another cluster: its records were written to the topic with the id "
                f"{', '.join(sorted(others))}, which is {self._topic_id} here. Transactions that its states include may have no "
                "decision on this cluster. Stop the copying, delete the topic, create it again with `fraudstream topics ensure`, "
                "and continue with docs/operate/disaster-recovery.md."
            )

    def _refuse_shorter_log(self, partition: int, gap: Gap) -> None:
        if gap.start > gap.end:
            raise RestoreFailed(
                f"the local states include offset {gap.start - 1} of {self.topic}-{partition}, which ends at "
                f"{gap.end - 1}: the topic was truncated or created again. If its content is right, move "
                "FRAUDSTREAM_WORKER_DATA_DIR aside and start again: the worker restores from the topic."
            )


class KeyFilter:
    """Remembers which keys were written to a database that was empty: other keys need not be read from it.

    One byte per slot, selected by the key's hash. Two keys in one slot cost a useless read, never a wrong result.
    """

    def __init__(self) -> None:
        self._slots = bytearray(SLOTS)

    def possibly_stored(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[bytes]:
        """Return the keys of ``records`` that may be stored, and add all of them."""
        stored, slots = [], self._slots
        for key, _ in records:
            slot = hash(key) % SLOTS
            if slots[slot]:
                stored.append(key)
            else:
                slots[slot] = 1
        return stored


class Versions:
    """Chooses the version to keep of each key in consecutive records of a partition.

    A former owner of the partition may have appended an old version after a newer one, so the last record is not always
    the newest: of two versions, the one that applied more of its source log is kept. A tombstone always deletes the
    key: only an operator writes one.
    """

    def __init__(self) -> None:
        self.overtaken: set[bytes] = set()
        """Keys whose last record is older than the version that is kept: compaction would leave only that record."""

    def newest(
        self, records: Iterable[tuple[bytes, bytes | None]], stored: Mapping[bytes, bytes | None]
    ) -> dict[bytes, bytes | None]:
        """Return the version to keep of each key; ``stored`` holds the versions in the database."""
        kept: dict[bytes, bytes | None] = {}
        for key, value in records:
            if key == CLAIM_KEY:
                continue
            known = kept.get(key, stored.get(key))
            if value is None or known is None or not is_older(value, known):
                kept[key] = value
                self.overtaken.discard(key)
            else:
                self.overtaken.add(key)
        return kept


def trailing_claims(records: Sequence[tuple[bytes, bytes | None]]) -> int:
    """Return the number of claims at the end of ``records``."""
    return len(list(takewhile(lambda record: record[0] == CLAIM_KEY, reversed(records))))


def is_older(value: bytes, known: bytes) -> bool:
    """True when ``value`` applied less of the same source log than ``known``. Bytes that are no state replace none."""
    applied, known_applied = _lineage(value), _lineage(known)
    if applied is None or known_applied is None:
        return known_applied is not None
    (topic_id, applied_offset), (known_topic_id, known_offset) = applied, known_applied
    return topic_id == known_topic_id and applied_offset < known_offset


def _lineage(state: bytes) -> tuple[int, int] | None:
    """As ``lineage``; None for too few bytes, which must not keep all other states from being restored."""
    try:
        return lineage(state)
    except StateCorrupt:
        return None


async def _together(coroutines: Iterable[Coroutine[None, None, None]]) -> None:
    """Run all; when one fails, or this call is cancelled, cancel the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
