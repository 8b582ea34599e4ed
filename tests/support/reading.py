"""Reads topics, the changelog and a worker's RocksDB without the service's code."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import rocksdict
from aiokafka import AIOKafkaConsumer, TopicPartition

READ_BYTES = 8 * 1024 * 1024
TABLE = "customer-profiles"
ACTIVITIES = "entity-activities"
OFFSET_KEYS = {b"", b"__faust\0offset__"}
"""Keys of a store's changelog position; no customer id equals one of them."""


@asynccontextmanager
async def consumer(bootstrap_servers: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that joins no group and reads committed records."""
    opened = AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=READ_BYTES,
        **options,
    )
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()


async def scan(bootstrap_servers: str, topic: str, partitions: int) -> AsyncIterator[Any]:
    """Every current record of a topic, each partition in order of offset."""
    async with consumer(bootstrap_servers) as reader:
        assigned = [TopicPartition(topic, partition) for partition in range(partitions)]
        reader.assign(assigned)
        ends = await reader.end_offsets(assigned)
        left = {tp for tp in assigned if ends[tp] > 0}
        while left:
            fetched = await reader.getmany(*left, timeout_ms=1000)
            for tp, records in fetched.items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield record
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}


async def read_topic(bootstrap_servers: str, topic: str, partitions: int) -> list[Any]:
    """Every current record of a topic."""
    return [record async for record in scan(bootstrap_servers, topic, partitions)]


async def end_offsets(bootstrap_servers: str, topic: str, partitions: int) -> dict[int, int]:
    """The next offset of each partition."""
    async with consumer(bootstrap_servers) as reader:
        ends = await reader.end_offsets([TopicPartition(topic, partition) for partition in range(partitions)])
        return {tp.partition: end for tp, end in ends.items()}


async def committed_offsets(
    bootstrap_servers: str, group: str, topic: str, partitions: int
) -> dict[int, int]:
    """The committed offset of each partition; 0 where nothing is committed."""
    async with consumer(bootstrap_servers, group_id=group) as reader:
        assigned = [TopicPartition(topic, partition) for partition in range(partitions)]
        reader.assign(assigned)
        return {tp.partition: await reader.committed(tp) or 0 for tp in assigned}


def newest_per_key(records: Iterable[Any]) -> dict[bytes, bytes]:
    """The newest value of each key, as compaction leaves them. A key whose last value is None is deleted."""
    last = {record.key: record.value for record in records}
    return {key: value for key, value in last.items() if value is not None}


def stored_values(data_dir: Path, table: str = TABLE) -> dict[bytes, bytes]:
    """Every value in a stopped worker's databases."""
    found: dict[bytes, bytes] = {}
    for path in sorted((data_dir / "v1" / "tables").glob(f"{table}-*.db")):
        found |= _stored(path)
    return found


def stored_partition(data_dir: Path, partition: int) -> dict[bytes, bytes]:
    """Every profile in a stopped worker's database of one partition; none where it has none."""
    path = data_dir / "v1" / "tables" / f"{TABLE}-{partition}.db"
    return _stored(path) if (path / "CURRENT").exists() else {}


def _stored(path: Path) -> dict[bytes, bytes]:
    options = rocksdict.Options(raw_mode=True)
    database: Any = rocksdict.Rdict(str(path), options, access_type=rocksdict.AccessType.read_only())
    found = {key: value for key, value in database.items() if key not in OFFSET_KEYS}
    database.close()
    return found
