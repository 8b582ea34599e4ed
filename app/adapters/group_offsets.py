"""How far a consumer group has come and who is in it, asked without joining it."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from app.adapters.kafka_security import Cluster, client_options


async def committed(kafka: Cluster, group: str, topic: str, partitions: int) -> dict[int, int]:
    """By partition the offset up to which everything is finished; partitions of which nothing is are left out."""
    consumer = AIOKafkaConsumer(**client_options(kafka), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        found = {place.partition: await consumer.committed(place) for place in places}
    finally:
        await consumer.stop()
    return {partition: offset for partition, offset in found.items() if offset is not None}


async def members(kafka: Cluster, group: str) -> int:
    """How many consumers are in the group now; a killed one counts until its session ends."""
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    try:
        responses = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    groups = (found for response in responses for found in response.to_object()["groups"])
    return sum(len(found["members"]) for found in groups)
