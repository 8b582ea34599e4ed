"""Reads the committed offsets and the members of a consumer group without joining it."""

from functools import partial

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.commit_notes import Commit
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.groups import Partition, described, read_commits
from app.adapters.kafka.security import Cluster


async def commits(kafka: Cluster, group: str, topic: str, topic_id: int) -> dict[int, Commit]:
    """The commit of each partition of ``topic``: every record before its offset is processed. Partitions without one are
    left out.

    Workers store the id of the topic with each commit; commits of an earlier topic of the same name are ignored. Tools
    that reset offsets store no id; their commits count.
    """
    async with kafka_connection.connect(kafka) as brokers:
        found = await brokers.again(partial(_commits, brokers, group))
    return {
        partition: commit
        for (name, partition), commit in found.items()
        if name == topic and commit.note.belongs_to(f"{topic_id:x}")
    }


async def committed(kafka: Cluster, group: str, topic: str, topic_id: int) -> dict[int, int]:
    """The offsets of ``commits``."""
    found = await commits(kafka, group, topic, topic_id)
    return {partition: commit.offset for partition, commit in found.items()}


async def members(kafka: Cluster, group: str) -> int:
    """The number of consumers in the group now. A killed consumer counts until its session times out."""
    async with kafka_connection.connect(kafka) as brokers:
        return await brokers.again(partial(_members, brokers, group))


async def _commits(brokers: Brokers, group: str) -> dict[Partition, Commit]:
    return await read_commits(brokers, await brokers.coordinator(group), group)


async def _members(brokers: Brokers, group: str) -> int:
    return len((await described(brokers, await brokers.coordinator(group), group))["members"])
