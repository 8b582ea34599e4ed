"""Sends a batch of any bytes: Kafka's Python clients build their own."""

from aiokafka import AIOKafkaProducer


async def send_batch(bootstrap_servers: str, topic: str, partition: int, raw: bytes) -> int:
    """Send one stored batch as it is, and return the offset of its first record. Raises the broker's error."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"replaced", value=None)
        batch.close()
        batch._build = lambda: bytearray(raw)
        acknowledged = await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
    offset: int = acknowledged.offset
    return offset
