"""Rebuilds a lost changelog: folds profiles from the log up to the committed offsets of the group.

On a mirror of the cluster these offsets come from ``mirror_position``. Folding stops at them, because workers treat a
transaction as decided when its profile has applied it. The changelog must be empty and no worker may run, because the
versions of two writers would mix.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple, Protocol

from app.adapters.kafka.group_offsets import members
from app.adapters.kafka.range_reader import RangeReader
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.security import Cluster
from app.errors import ConfigurationError
from app.processing.chunk import Chunk
from app.processing.fold_chunk import ChunkFold
from app.processing.state_cache import StateCache
from app.processing.stopwatch import Stopwatch
from app.replay.customer_history import Progress
from app.replay.refold import FoldRules
from app.replay.scratch_store import ScratchStore

BATCH_PROFILES = 2_000
"""Profiles sent at a time; the next batch waits for the acknowledgement."""


class Sender(Protocol):
    """The part of ``app.adapters.kafka.batch_producer`` used here."""

    async def claim(self, topic: str, partitions: Iterable[int]) -> None: ...

    async def send(self, topic: str, partition: int, records: list[OutRecord]) -> int: ...


class Rebuilt(NamedTuple):
    """The result of a rebuild."""

    profiles: int
    records: int
    """Records read from the log."""
    cut: list[int]
    """Partitions from which retention has deleted records: their events are missing in the profiles."""


async def require_no_members(kafka: Cluster, group: str) -> None:
    """Raise ConfigurationError while a worker is in the group."""
    if count := await members(kafka, group):
        raise ConfigurationError(
            f"{count} worker(s) are in the group {group} and write to the changelog. Stop them; a killed worker stays in "
            "the group until its session ends."
        )


def require_commits(group: str, topic: str, finished: Mapping[int, int], *, on_mirror: bool) -> None:
    """Raise ConfigurationError when the group has committed offsets on a mirror, or none on its own cluster."""
    if on_mirror and finished:
        raise ConfigurationError(
            f"{group} has committed offsets of this {topic}: its workers have already run on this cluster, and these offsets are "
            "right. Run this command without --from-mirror."
        )
    if not on_mirror and not finished:
        raise ConfigurationError(
            f"{group} has committed no offset of this {topic}, so there is nothing up to which profiles are to be rebuilt. If "
            "this cluster is a mirror that takes over, add --from-mirror (docs/operate/disaster-recovery.md). Otherwise start "
            "the workers: they read the log from its beginning."
        )


async def require_empty(changelog: RangeReader) -> None:
    """Raise ConfigurationError when the changelog holds records."""
    for partition in range(changelog.partitions):
        begins, ends = await changelog.extent(partition)
        if begins < ends:
            raise ConfigurationError(
                f"{changelog.topic}-{partition} holds profiles, from which workers restore. If they are wrong, delete the "
                "topic, create it again with `fraudstream topics ensure`, and run this command again."
            )


async def rebuild(
    source: RangeReader,
    rules: FoldRules,
    scratch: ScratchStore,
    finished: Mapping[int, int],
    cache_bytes: int,
    on_progress: Progress,
) -> Rebuilt:
    """Fold every partition up to its offset in ``finished`` into ``scratch``."""
    cache = StateCache(scratch, cache_bytes)
    fold = ChunkFold(rules.log_of(source), rules.acceptance, rules.bounds, cache, rules.computation)
    records_read, cut = 0, []
    for partition, end in sorted(finished.items()):
        begins, _ = await source.extent(partition)
        if begins:
            cut.append(partition)
        async for records, _ in source.records(partition, begins, end):
            if records:
                applied = fold.apply([Chunk(partition, records)], Stopwatch(time.perf_counter))
                (chunk_slice,) = applied.slices
                scratch.write(partition, chunk_slice.profiles)
                cache.release(partition, chunk_slice.number)
            records_read += len(records)
            on_progress(records_read)
    return Rebuilt(0, records_read, cut)


async def publish(
    scratch: ScratchStore, partitions: Mapping[int, int], changelog: str, sender: Sender
) -> int:
    """Write every profile to the changelog and return their number. Raises SendFailed: the changelog is then incomplete.

    The partitions are claimed first, so that nothing of a worker that has ended can arrive behind the profiles.
    """
    await sender.claim(changelog, partitions)
    count = 0
    for partition in sorted(partitions):
        for batch in _batches(scratch.items(partition)):
            await sender.send(changelog, partition, batch)
            count += len(batch)
    return count


def _batches(items: Iterator[tuple[bytes, bytes]]) -> Iterator[list[OutRecord]]:
    while batch := [OutRecord(key, value) for key, value in islice(items, BATCH_PROFILES)]:
        yield batch
