"""How far a consumer group has come, asked without joining it."""

from aiokafka import AIOKafkaConsumer, TopicPartition

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
