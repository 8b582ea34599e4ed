"""Reads the committed offsets and the members of a consumer group without joining it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiokafka.admin import AIOKafkaAdminClient

from app.adapters.kafka.commit_notes import Commit, CommitNote
from app.adapters.kafka.connection import ask_again, refuse_transient
from app.adapters.kafka.security import Cluster, client_options, servers


async def commits(kafka: Cluster, group: str, topic: str, topic_id: int) -> dict[int, Commit]:
    """The commit of each partition of ``topic``: every record before its offset is processed. Partitions without one are
    left out.

    Workers store the id of the topic with each commit; commits of an earlier topic of the same name are ignored. Tools
    that reset offsets store no id; their commits count.
    """
    async with _admin(kafka) as admin:
        found = await ask_again(servers(kafka), partial(admin.list_consumer_group_offsets, group))
    read = {
        place.partition: Commit(entry.offset, CommitNote.parse(entry.metadata))
        for place, entry in found.items()
        if place.topic == topic and entry.offset >= 0
    }
    return {
        partition: commit for partition, commit in read.items() if commit.note.belongs_to(f"{topic_id:x}")
    }


async def committed(kafka: Cluster, group: str, topic: str, topic_id: int) -> dict[int, int]:
    """The offsets of ``commits``."""
    found = await commits(kafka, group, topic, topic_id)
    return {partition: commit.offset for partition, commit in found.items()}


async def members(kafka: Cluster, group: str) -> int:
    """The number of consumers in the group now. A killed consumer counts until its session times out."""
    async with _admin(kafka) as admin:
        return await ask_again(servers(kafka), partial(_members, admin, group))


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    responses = await admin.describe_consumer_groups([group])
    groups = [found for response in responses for found in response.to_object()["groups"]]
    for found in groups:
        refuse_transient(found["error_code"])  # a coordinator that loads describes a group without members
    return sum(len(found["members"]) for found in groups)


@asynccontextmanager
async def _admin(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(kafka))
    try:
        await ask_again(servers(kafka), admin.start)
        yield admin
    finally:
        await admin.close()
