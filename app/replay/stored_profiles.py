"""Reads stored profiles: from the changelog, or from the databases of a stopped worker."""

from collections.abc import Iterable
from pathlib import Path

from app.adapters.disk import data_dir
from app.adapters.kafka.partitioner import partition_of
from app.adapters.kafka.range_reader import RangeReader
from app.errors import ConfigurationError
from app.replay.customer_history import Progress
from app.replay.scratch_store import ScratchStore, database_path, open_read_only
from app.streaming.state.restore import Versions


def partitions_with(key: bytes, partitions: int, *, by_murmur2: bool) -> Iterable[int]:
    """Return the partitions that may hold a customer's profile: all, when producers do not use murmur2."""
    return [partition_of(key, partitions)] if by_murmur2 else range(partitions)


async def from_changelog(
    changelog: RangeReader, partitions: Iterable[int], key: bytes, on_progress: Progress
) -> bytes | None:
    """Return the version that a restore would keep; None when there is none. Reads whole partitions."""
    found: bytes | None = None
    for partition in partitions:
        begins, ends = await changelog.extent(partition)
        async for records, reached in changelog.records(partition, begins, ends, key):
            versions = [(key, record.value) for record in records]
            found = Versions().newest(versions, {key: found}).get(key, found)
            on_progress(reached)
    return found


def from_data_dir(path: Path, partitions: Iterable[int], key: bytes) -> bytes | None:
    """Return the profile in a data directory. Raises ConfigurationError when a worker uses it or it holds no profiles."""
    if not (path / "v1").is_dir():
        raise ConfigurationError(f"--data-dir {path} holds no profiles.")
    data_dir.lock(path)
    found = (_stored(database_path(path, partition), key) for partition in partitions)
    return next((value for value in found if value is not None), None)


def _stored(database: Path, key: bytes) -> bytes | None:
    if not (database / "CURRENT").exists():
        return None
    opened = open_read_only(database)
    try:
        value: bytes | None = opened.get(key)
    finally:
        opened.close()
    return value


async def restore(changelog: RangeReader, partition: int, into: ScratchStore) -> set[bytes]:
    """Write every profile of a partition into ``into``, in the version that a worker's restore would keep.

    Returns the keys whose last record is an older version, which compaction would keep instead.
    """
    chosen = Versions()
    begins, ends = await changelog.extent(partition)
    async for records, _ in changelog.records(partition, begins, ends):
        versions = [(record.key or b"", record.value) for record in records]
        keys = list(dict.fromkeys(key for key, _ in versions))
        stored = dict(zip(keys, into.read(partition, keys), strict=True))
        into.write(partition, chosen.newest(versions, stored))
    return chosen.overtaken
