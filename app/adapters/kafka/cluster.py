"""Reads the state of a Kafka cluster from its brokers. Nothing is altered here."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from aiokafka.errors import LeaderNotAvailableError, for_code

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.cluster_state import BrokerState, ClusterState, Controller, LogDir, TopicState
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.groups import GroupReader, read_bounds, read_high_watermarks
from app.adapters.kafka.protocol.hidden import NOTHING, Expected, hidden, unread
from app.adapters.kafka.protocol.log_dirs import describe_log_dirs
from app.adapters.kafka.protocol.metadata import describe_topics
from app.adapters.kafka.protocol.quorum import describe_quorum
from app.adapters.kafka.security import Cluster
from app.adapters.kafka.transactions.isolation import isolation_code
from app.adapters.kafka.transactions.open_transactions import read_open_transactions

CAUGHT_UP_MS = 30_000
"""Followers fetch twice a second. A voter that did not catch up for this long counts as behind."""


async def read_cluster(
    kafka: Cluster, groups: Sequence[str] = (), expected: Expected = NOTHING
) -> ClusterState:
    """The state of the cluster now, with every consumer group or only ``groups``.

    It names the missing rights that hide the cluster, or what is ``expected`` of it.

    Connects anew each time, so that a broker that died since the last call is not asked again. Raises
    ConfigurationError when no broker answers.
    """
    async with kafka_connection.connect(kafka) as brokers:
        return await brokers.again(partial(_read, brokers, groups, expected, isolation_code(kafka)))


async def _read(brokers: Brokers, groups: Sequence[str], expected: Expected, isolation: int) -> ClusterState:
    metadata = (await brokers.state(describe_topics(None))).to_object()
    nodes = await brokers.reachable()
    reader = GroupReader(brokers, _leaders(metadata["topics"], nodes), isolation)
    found, held_back = await reader.read(nodes, groups)
    topics = tuple(sorted(map(_topic, metadata["topics"]), key=lambda topic: topic.name))
    missing = await hidden(brokers.state, {topic.name for topic in topics}, expected)
    return ClusterState(
        seen_at_ms=time.time_ns() // 1_000_000,
        cluster_id=metadata["cluster_id"],
        controller=await read_controller(brokers),
        brokers=tuple(
            [await _broker(brokers, each) for each in metadata["brokers"] if each["node_id"] in nodes]
        ),
        topics=topics,
        groups=found,
        open_transactions=await read_open_transactions(brokers, held_back),
        missing_rights=(*missing, *map(unread, sorted(reader.refused_topics))),
    )


async def read_held(kafka: Cluster, topic: str) -> int:
    """The number of offsets that the partitions of a topic with a leader retain, 0 when it does not exist.

    Compaction makes it an upper bound. Raises ConfigurationError when no broker answers.
    """
    async with kafka_connection.connect(kafka) as brokers:
        return await brokers.again(partial(_held, brokers, topic))


async def _held(brokers: Brokers, topic: str) -> int:
    found = (await brokers.state(describe_topics([topic]))).to_object()["topics"]
    leaders = _leaders(found, await brokers.reachable())
    starts, ends = await read_bounds(brokers, leaders, leaders)
    return sum(end - starts.get(partition, end) for partition, end in ends.items())


async def read_ends(brokers: Brokers, topic: str) -> tuple[UUID, tuple[int, ...]]:
    """The id of a topic, and the end of the log of each of its partitions, open transactions included.

    Raises a KafkaError that passes by itself unless every partition has a leader that answers.
    """
    found = (await brokers.state(describe_topics([topic]))).to_object()["topics"]
    leaders = _leaders(found, await brokers.reachable())
    ends = await read_high_watermarks(brokers, leaders)
    if not ends or len(ends) < len(found[0]["partitions"]):
        raise LeaderNotAvailableError(topic)
    return found[0]["topic_id"], tuple(end for _, end in sorted(ends.items()))


async def read_controller(brokers: Brokers) -> Controller | None:
    """The leader of the KRaft quorum; None when the brokers know of none."""
    response = (await brokers.state(describe_quorum())).to_object()
    if response["error_code"]:
        return None
    (topic,) = response["topics"]
    (partition,) = topic["partitions"]
    if partition["error_code"] or partition["leader_id"] < 0:
        return None
    caught_up = {each["replica_id"]: each["last_caught_up_timestamp"] for each in partition["current_voters"]}
    clock_ms = caught_up[partition["leader_id"]]
    return Controller(
        node=partition["leader_id"],
        voters=tuple(sorted(caught_up)),
        behind=tuple(sorted(node for node, at in caught_up.items() if clock_ms - at > CAUGHT_UP_MS)),
        clock_ms=clock_ms,
    )


async def _broker(brokers: Brokers, described: Mapping[str, Any]) -> BrokerState:
    node = described["node_id"]
    directories = (await brokers.state(describe_log_dirs(), node)).to_object()["results"]
    return BrokerState(
        node=node,
        host=described["host"],
        port=described["port"],
        log_dirs=tuple(map(_log_dir, directories)),
    )


def _log_dir(described: Mapping[str, Any]) -> LogDir:
    sizes = [
        partition["partition_size"] for topic in described["topics"] for partition in topic["partitions"]
    ]
    return LogDir(
        path=described["log_dir"],
        total_bytes=described["total_bytes"],
        usable_bytes=described["usable_bytes"],
        log_bytes=sum(sizes),
        error=for_code(described["error_code"]).__name__ if described["error_code"] else "",
    )


def _topic(described: Mapping[str, Any]) -> TopicState:
    partitions = described["partitions"]
    return TopicState(
        name=described["topic"],
        partitions=len(partitions),
        under_replicated=tuple(
            sorted(each["partition"] for each in partitions if len(each["isr"]) < len(each["replicas"]))
        ),
        offline=tuple(sorted(each["partition"] for each in partitions if each["leader"] < 0)),
    )


def _leaders(topics: Sequence[Mapping[str, Any]], nodes: Sequence[int]) -> dict[tuple[str, int], int]:
    """The leader of each partition whose leader is reachable."""
    return {
        (topic["topic"], partition["partition"]): partition["leader"]
        for topic in topics
        for partition in topic["partitions"]
        if partition["leader"] in nodes
    }
