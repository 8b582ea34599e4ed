"""Reads consumer groups and their lag, in records and in seconds: the age of the oldest uncommitted record."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from app.adapters.kafka.cluster_state import GroupState, PartitionLag
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.record_batches.batch_reader import read_batches

Partition = tuple[str, int]
"""Topic name and partition number."""
Leaders = Mapping[Partition, int]
"""Node id of each partition's leader."""

_ONE_BATCH_BYTES = 1
"""Brokers return at least one whole batch, even one larger than this."""
_AT_ONCE_MS = 0
_NO_REPLICA, _READ_UNCOMMITTED = -1, 0


class Committed(NamedTuple):
    """A group as its coordinator describes it."""

    name: str
    state: str
    members: int
    offsets: dict[Partition, int]


async def read_groups(
    brokers: Brokers, nodes: Iterable[int], leaders: Leaders, only: Sequence[str] = ()
) -> tuple[GroupState, ...]:
    """Every group that has committed an offset, ordered by name; limited to the names in ``only`` unless it is empty."""
    found = [group for node in nodes for group in await _of_coordinator(brokers, node, only)]
    topics = {topic for group in found for topic, _ in group.offsets}
    wanted = [partition for partition in leaders if partition[0] in topics]
    starts, ends = await read_bounds(brokers, leaders, wanted)
    ages = _Ages(brokers, leaders, starts)
    return tuple([await _state(group, ages, starts, ends) for group in sorted(found)])


async def read_bounds(
    brokers: Brokers, leaders: Leaders, partitions: Iterable[Partition]
) -> tuple[dict[Partition, int], dict[Partition, int]]:
    """The first offset and the end offset of each partition whose leader answers."""
    wanted = list(partitions)
    starts = await _offsets(brokers, leaders, wanted, OffsetResetStrategy.EARLIEST)
    return starts, await _offsets(brokers, leaders, wanted, OffsetResetStrategy.LATEST)


async def _state(
    group: Committed, ages: "_Ages", starts: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> GroupState:
    """A partition without a commit lags by all its records if the group has commits in the topic."""
    topics = {topic for topic, _ in group.offsets}
    offsets = {
        partition: group.offsets.get(partition, starts.get(partition, 0))
        for partition in sorted(ends)
        if partition[0] in topics
    }
    lags = [await ages.lag(partition, offset, ends[partition]) for partition, offset in offsets.items()]
    return GroupState(name=group.name, state=group.state, members=group.members, partitions=tuple(lags))


class _Ages:
    """Computes lags; reads the timestamp of the oldest uncommitted record where there is one."""

    def __init__(self, brokers: Brokers, leaders: Leaders, starts: Mapping[Partition, int]) -> None:
        self._brokers = brokers
        self._leaders = leaders
        self._starts = starts

    async def lag(self, partition: Partition, committed: int, end: int) -> PartitionLag:
        topic, number = partition
        seconds = 0.0 if committed >= end else await self._age(partition, committed)
        records = max(0, end - committed)
        return PartitionLag(
            topic=topic, partition=number, committed=committed, end=end, records=records, seconds=seconds
        )

    async def _age(self, partition: Partition, committed: int) -> float | None:
        """Seconds since the record's timestamp; None when the leader sent none that can be read (throttling, leader change, damage)."""
        topic, number = partition
        offset = max(
            committed, self._starts.get(partition, 0)
        )  # retention may have deleted the records at the committed offset
        request = FetchRequest(
            _AT_ONCE_MS,
            0,
            _ONE_BATCH_BYTES,
            _READ_UNCOMMITTED,
            [(topic, [(number, offset, _ONE_BATCH_BYTES)])],
        )
        response = await self._brokers.ask(request, self._leaders[partition])
        for _, answers in response.topics:
            for _, code, *_, data in answers:
                if not code and (timestamp_ms := _first_timestamp(data, offset)) is not None:
                    return max(0.0, time.time() - timestamp_ms / 1000)
        return None


def _first_timestamp(data: bytes, offset: int) -> int | None:
    for batch in read_batches(data, offset):
        if batch.records:
            return int(batch.records[0].timestamp)
    return None


async def _of_coordinator(brokers: Brokers, node: int, only: Sequence[str]) -> list[Committed]:
    """The groups that ``node`` coordinates; a broker lists no others."""
    listed = [name for name, *_ in (await brokers.ask(ListGroupsRequest(), node)).groups]
    return [await _group(brokers, node, name) for name in listed if not only or name in only]


async def _group(brokers: Brokers, node: int, name: str) -> Committed:
    """Asks for one group at a time: aiokafka misreads an answer about several."""
    (described,) = (await brokers.ask(DescribeGroupsRequest([name]), node)).to_object()["groups"]
    offsets = await _committed(brokers, node, name)
    return Committed(name, described["state"], len(described["members"]), offsets)


async def _committed(brokers: Brokers, node: int, group: str) -> dict[Partition, int]:
    response = await brokers.ask(OffsetFetchRequest(group, None), node)
    return {
        (topic, number): offset
        for topic, partitions in response.topics
        for number, offset, _, code in partitions
        if not code and offset >= 0
    }


async def _offsets(
    brokers: Brokers, leaders: Leaders, partitions: Iterable[Partition], which: int
) -> dict[Partition, int]:
    """The earliest or the latest offset, as ``which`` says, of each partition whose leader answers."""
    by_node: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for partition in partitions:
        topic, number = partition
        by_node[leaders[partition]][topic].append((number, which))
    found: dict[Partition, int] = {}
    for node, topics in by_node.items():
        request = OffsetRequest(_NO_REPLICA, _READ_UNCOMMITTED, list(topics.items()))
        found |= _answered(await brokers.ask(request, node))
    return found


def _answered(response: Any) -> dict[Partition, int]:
    return {
        (topic, number): offset
        for topic, partitions in response.topics
        for number, code, _, offset, *_ in partitions
        if not code
    }
