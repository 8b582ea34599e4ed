"""Repairs a changelog whose last record of a key is an older version: compaction would leave only that record.

Such records can come from a release that did not claim partitions, or from brokers that have lost a claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from app.adapters.kafka.records import OutRecord
from app.metrics import Metrics

APPENDED_TOGETHER = 1_000

_log = structlog.get_logger("restore")


class Store(Protocol):
    """The local databases, one per partition. ``write`` is atomic."""

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]: ...

    def write(self, partition: int, states: Mapping[bytes, bytes], changelog_offset: int) -> None: ...


class ChangelogWriter(Protocol):
    """The worker's producer."""

    async def claim(self, topic: str, partitions: Iterable[int]) -> None:
        """Make this worker the only writer of partitions of the changelog."""
        ...

    async def send(self, topic: str, partition: int, records: Sequence[OutRecord]) -> int:
        """Append records and return the offset of the last one."""
        ...


async def append_again(
    overtaken: Mapping[int, Iterable[bytes]],
    store: Store,
    writer: ChangelogWriter,
    changelog: str,
    metrics: Metrics,
) -> None:
    """Append the stored version of the ``overtaken`` keys of each partition. Raises SendFailed, Fenced, StoreFailed."""
    for partition, keys in overtaken.items():
        ordered = sorted(keys)
        for start in range(0, len(ordered), APPENDED_TOGETHER):
            part = ordered[start : start + APPENDED_TOGETHER]
            found = zip(part, store.read(partition, part), strict=True)
            states = {key: state for key, state in found if state is not None}
            records = [OutRecord(key, state) for key, state in states.items()]
            store.write(partition, states, await writer.send(changelog, partition, records))
            metrics.count("changelog_versions_repaired_total", len(states))
            _log.warning("changelog_repaired", partition=partition, versions=len(states))
