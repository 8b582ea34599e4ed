"""Reads, and sets, the committed offsets of a consumer group without joining it; counts its members."""

from collections.abc import Mapping
from functools import partial

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.commit_notes import Commit, CommitNote
from app.adapters.kafka.connection import Brokers, ask_again
from app.adapters.kafka.groups import Partition, described, read_commits
from app.adapters.kafka.protocol.rights import named_rights
from app.adapters.kafka.record_batches.contained_fetch import contained_consumer
from app.adapters.kafka.security import Cluster, client_options, servers


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


async def commit(kafka: Cluster, group: str, topic: str, topic_id: int, offsets: Mapping[int, int]) -> None:
    """Commit an offset of each partition, as a worker would. The group must have no members."""
    consumer = contained_consumer(**client_options(kafka), group_id=group, enable_auto_commit=False)
    note = str(CommitNote(f"{topic_id:x}"))
    try:
        await ask_again(servers(kafka), consumer.start)
        noted = {
            TopicPartition(topic, partition): OffsetAndMetadata(offset, note)
            for partition, offset in offsets.items()
        }
        consumer.assign(list(noted))
        with named_rights("Read", group):
            await consumer.commit(noted)
    finally:
        await consumer.stop()


async def members(kafka: Cluster, group: str) -> int:
    """The number of consumers in the group now. A killed consumer counts until its session times out."""
    async with kafka_connection.connect(kafka) as brokers:
        return await brokers.again(partial(_members, brokers, group))


async def _commits(brokers: Brokers, group: str) -> dict[Partition, Commit]:
    return await read_commits(brokers, await brokers.coordinator(group), group)


async def _members(brokers: Brokers, group: str) -> int:
    return len((await described(brokers, await brokers.coordinator(group), group))["members"])
