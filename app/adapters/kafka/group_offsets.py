"""How far a consumer group has come and who is in it, asked without joining it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from app.adapters.kafka.security import Cluster, client_options


async def committed(kafka: Cluster, group: str, topic: str, incarnation: int) -> dict[int, int]:
    """By partition the offset up to which everything is finished; partitions of which nothing is are left out.

    A worker notes beside each commit which incarnation of its topic it counts in; a tool that resets offsets notes
    nothing.
    """
    async with _admin(kafka) as admin:
        found = await admin.list_consumer_group_offsets(group)
    return {
        place.partition: entry.offset
        for place, entry in found.items()
        if place.topic == topic and entry.offset >= 0 and entry.metadata in {"", f"{incarnation:x}"}
    }


async def members(kafka: Cluster, group: str) -> int:
    """How many consumers are in the group now; a killed one counts until its session ends."""
    async with _admin(kafka) as admin:
        responses = await admin.describe_consumer_groups([group])
    groups = (found for response in responses for found in response.to_object()["groups"])
    return sum(len(found["members"]) for found in groups)


@asynccontextmanager
async def _admin(kafka: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
