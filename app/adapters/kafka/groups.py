"""Reads consumer groups: their lag, in records and in seconds (the age of the oldest uncommitted record), and their losses."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from app.adapters.kafka.cluster_state import GroupState, PartitionLag
from app.adapters.kafka.commit_notes import Commit, CommitNote
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.protocol.fetch import FetchAnswer, fetch_answers
from app.adapters.kafka.transactions.isolation import READ_UNCOMMITTED
from app.adapters.kafka.transactions.open_transactions import HeldBack
from app.adapters.kafka.transactions.waiting_records import FETCH_BYTES, waiting_records

Partition = tuple[str, int]
"""Topic name and partition number."""
Leaders = Mapping[Partition, int]
"""Node id of each partition's leader."""

_AT_ONCE_MS = 0
_NO_REPLICA = -1


class Committed(NamedTuple):
    """A group as its coordinator describes it."""

    name: str
    state: str
    members: int
    commits: dict[Partition, Commit]


class Bounds(NamedTuple):
    """The offsets of the partitions whose leaders answer."""

    starts: dict[Partition, int]
    ends: dict[Partition, int]
    """The ends of what may be read at the isolation level that was asked for."""


class GroupReader:
    """Reads groups at one isolation level; ``leaders`` are the partitions with a reachable leader.

    Methods raise a KafkaError that passes by itself when a leader or coordinator has moved: then all is asked again.
    """

    def __init__(self, brokers: Brokers, leaders: Leaders, isolation: int) -> None:
        self._brokers = brokers
        self._leaders = leaders
        self._isolation = isolation
        self.refused_topics: set[str] = set()
        """Those whose records this user may not read."""

    async def read(
        self, nodes: Iterable[int], only: Sequence[str] = ()
    ) -> tuple[tuple[GroupState, ...], tuple[HeldBack, ...]]:
        """Every group that has committed an offset, ordered by name; limited to the names in ``only`` unless it is empty.

        Also the partitions of their topics that an open transaction holds back.
        """
        found = [group for node in nodes for group in await _of_coordinator(self._brokers, node, only)]
        topics = {topic for group in found for topic, _ in group.commits}
        wanted = [partition for partition in self._leaders if partition[0] in topics]
        bounds = await read_bounds(self._brokers, self._leaders, wanted, self._isolation)
        states = [await self._state(group, bounds) for group in sorted(found)]
        return tuple(states), await self._held_back(wanted, bounds)

    async def _held_back(self, partitions: Sequence[Partition], bounds: Bounds) -> tuple[HeldBack, ...]:
        if self._isolation == READ_UNCOMMITTED:
            return ()
        ends = await _offsets(
            self._brokers, self._leaders, partitions, OffsetResetStrategy.LATEST, READ_UNCOMMITTED
        )
        return tuple(
            HeldBack(*partition, bounds.ends[partition], end, self._leaders[partition])
            for partition, end in ends.items()
            if partition in bounds.ends and bounds.ends[partition] < end
        )

    async def _state(self, group: Committed, bounds: Bounds) -> GroupState:
        """A partition without a commit lags by all its records if the group has commits in the topic."""
        topics = {topic for topic, _ in group.commits}
        partitions = [partition for partition in sorted(bounds.ends) if partition[0] in topics]
        lags = [await self._lag(partition, group.commits.get(partition), bounds) for partition in partitions]
        return GroupState(name=group.name, state=group.state, members=group.members, partitions=tuple(lags))

    async def _lag(self, partition: Partition, commit: Commit | None, bounds: Bounds) -> PartitionLag:
        start, end, now_ms = bounds.starts.get(partition, 0), bounds.ends[partition], _now_ms()
        commit = commit or Commit(start)
        waiting = await waiting_records(
            lambda offset: self._fetch(partition, offset), max(commit.offset, start), end
        )
        return PartitionLag(
            topic=partition[0],
            partition=partition[1],
            committed=commit.offset,
            end=end,
            records=waiting.records,
            seconds=waiting.seconds(now_ms),
            lost=commit.lost_records(start, now_ms),
        )

    async def _fetch(self, partition: Partition, offset: int) -> FetchAnswer | None:
        topic, number = partition
        wanted = [(topic, [(number, offset, FETCH_BYTES)])]
        request = FetchRequest(_AT_ONCE_MS, 0, FETCH_BYTES, self._isolation, wanted)
        response = await self._brokers.once(request, self._leaders[partition])
        answer = next(fetch_answers(response), None)
        if answer is not None and answer.error_code == TopicAuthorizationFailedError.errno:
            self.refused_topics.add(topic)
        return answer


async def read_bounds(
    brokers: Brokers, leaders: Leaders, partitions: Iterable[Partition], isolation: int = READ_UNCOMMITTED
) -> Bounds:
    """The first offset and the end offset of each partition whose leader answers."""
    wanted = list(partitions)
    starts = await _offsets(brokers, leaders, wanted, OffsetResetStrategy.EARLIEST, isolation)
    return Bounds(starts, await _offsets(brokers, leaders, wanted, OffsetResetStrategy.LATEST, isolation))


async def read_high_watermarks(brokers: Brokers, leaders: Leaders) -> dict[Partition, int]:
    """The end offset of each partition whose leader answers, open transactions included."""
    return await _offsets(brokers, leaders, leaders, OffsetResetStrategy.LATEST, READ_UNCOMMITTED)


async def _of_coordinator(brokers: Brokers, node: int, only: Sequence[str]) -> list[Committed]:
    """The groups that ``node`` coordinates; a broker lists no others."""
    listed = (await brokers.once(ListGroupsRequest(), node)).groups
    found = [await _group(brokers, node, name) for name, *_ in listed if not only or name in only]
    return [group for group in found if group is not None]


async def _group(brokers: Brokers, node: int, name: str) -> Committed | None:
    """Asks for one group at a time: aiokafka misreads an answer about several. None for one that this user may not see."""
    found = await described(brokers, node, name)
    if found["error_code"] == GroupAuthorizationFailedError.errno:
        return None
    commits = await read_commits(brokers, node, name)
    return Committed(name, found["state"], len(found["members"]), commits)


async def described(brokers: Brokers, node: int, group: str) -> dict[str, Any]:
    """The description of a group by its coordinator."""
    (found,) = (await brokers.once(DescribeGroupsRequest([group]), node)).to_object()["groups"]
    one: dict[str, Any] = found
    return one


async def read_commits(brokers: Brokers, node: int, group: str) -> dict[Partition, Commit]:
    """The commits of a group by its coordinator."""
    response = await brokers.once(OffsetFetchRequest(group, None), node)
    return {
        (topic, number): Commit(offset, CommitNote.parse(metadata))
        for topic, partitions in response.topics
        for number, offset, metadata, code in partitions
        if not code and offset >= 0
    }


async def _offsets(
    brokers: Brokers, leaders: Leaders, partitions: Iterable[Partition], which: int, isolation: int
) -> dict[Partition, int]:
    """The earliest or the latest offset, as ``which`` says, of each partition whose leader answers."""
    by_node: dict[int, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for partition in partitions:
        topic, number = partition
        by_node[leaders[partition]][topic].append((number, which))
    found: dict[Partition, int] = {}
    for node, topics in by_node.items():
        request = OffsetRequest(_NO_REPLICA, isolation, list(topics.items()))
        found |= _answered(await brokers.once(request, node))
    return found


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _answered(response: Any) -> dict[Partition, int]:
    return {
        (topic, number): offset
        for topic, partitions in response.topics
        for number, code, _, offset, *_ in partitions
        if not code
    }
