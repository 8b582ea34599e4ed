"""What the newest decisions lack: a Redis that is too slow shows in decisions, not on the brokers."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from aiokafka.errors import KafkaError

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.cluster import read_cluster
from app.adapters.kafka.cluster_state import ClusterState, RecentDecisions
from app.adapters.kafka.range_reader import open_range_reader
from app.adapters.serde.offline_decoder import readable
from app.domain.decision import Degradation
from app.domain.outcomes.outcome import Outcome
from app.errors import FraudstreamError
from app.operations.expected import expected_of
from app.settings import Settings

SAMPLED = 500
"""Decisions of each partition: enough to see one in a hundred, few enough to read at every poll of the monitor."""
TIMEOUT_SECONDS = 10.0


class _Flags(msgspec.Struct):
    """The fields of a decision that are read here."""

    outcome: Outcome | None = None
    degraded: list[str] = []


_flags = BoundedDecoder(_Flags)


async def read_installation(settings: Settings, groups: Sequence[str] = ()) -> ClusterState:
    """The cluster, with every consumer group or only ``groups``, and the newest decisions. Raises as ``read_cluster``."""
    state = await read_cluster(settings.kafka, groups, expected_of(settings))
    return msgspec.structs.replace(state, recent_decisions=await read_recent(settings))


async def read_recent(settings: Settings) -> RecentDecisions | None:
    """The newest decisions of every partition; None where they cannot be read."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _read(settings)
    except (FraudstreamError, KafkaError, TimeoutError):
        return None


async def _read(settings: Settings) -> RecentDecisions:
    topic, found = settings.topics.decisions, RecentDecisions()
    async with open_range_reader(settings.kafka, topic, readable(settings)) as reader:
        for partition in range(reader.partitions):
            begin, end = await reader.extent(partition)
            async for records, _ in reader.records(partition, max(begin, end - SAMPLED), end):
                found += count(record.value for record in records)
    return found


def count(values: Iterable[bytes | None]) -> RecentDecisions:
    """Count decisions in JSON. Values that are none are left out."""
    found = [flags for value in values if (flags := _flags.attempt(value)) is not None]
    return RecentDecisions(
        counted=len(found),
        without_entities=sum(Degradation.ENTITIES_ABSENT in flags.degraded for flags in found),
        outcomes=dict(Counter(str(flags.outcome) for flags in found if flags.outcome)),
    )
