"""Writes orders to their topic, signed where a key is given."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiokafka import TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.tail_reader import open_tail_reader
from app.adapters.signing_keys import private_key, public_key
from app.adapters.topic_records.control_log import PARTITION
from app.adapters.topic_records.order_signatures import OrderPlace, signed
from app.errors import ConfigurationError, SendFailed
from app.settings import Settings

TRIES = 5
"""A signature names the offset of its record. If another record takes that offset meanwhile, the order is signed again."""

Send = Callable[[Sequence[OutRecord]], Awaitable[int]]
"""Writes records and returns the offset of the last one."""


def signing_key(settings: Settings, file: Path | None) -> Ed25519PrivateKey | None:
    """The key in ``file``; None to sign nothing.

    Raises ConfigurationError where readers with the same settings would refuse the order.
    """
    trusted = settings.control.public_key_file
    if file is None:
        if trusted:
            raise ConfigurationError(
                f"FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE={trusted}: only signed orders are followed. Give --key FILE, the private "
                "key that belongs to it."
            )
        return None
    key = private_key(file)
    if trusted and key.public_key().public_bytes_raw() != public_key(Path(trusted)).public_bytes_raw():
        raise ConfigurationError(
            f"{file} does not belong to FRAUDSTREAM_CONTROL_PUBLIC_KEY_FILE={trusted}: the order would be refused."
        )
    return key


async def send_orders(
    settings: Settings, records: Sequence[OutRecord], key: Ed25519PrivateKey | None = None
) -> int:
    """Write orders and return the offset of the last one. Raises SendFailed."""
    topic, sender = settings.topics.control, BatchProducer(settings.kafka)

    async def send(orders: Sequence[OutRecord]) -> int:
        return await sender.send(topic, PARTITION, orders)

    try:
        await sender.start()
        if key is None:
            return await send(records)
        async with open_tail_reader(settings.kafka, [topic], from_beginning=False) as reader:

            async def next_place() -> OrderPlace:
                return OrderPlace(
                    reader.topic_ids[topic], (await reader.ends())[TopicPartition(topic, PARTITION)]
                )

            return await send_signed(records, key, next_place, send)
    finally:
        await sender.stop()


async def send_signed(
    records: Sequence[OutRecord],
    key: Ed25519PrivateKey,
    next_place: Callable[[], Awaitable[OrderPlace]],
    send: Send,
) -> int:
    """Sign orders for the offsets that they will have, write them, and return the offset of the last one. Raises SendFailed."""
    for _ in range(TRIES):
        topic_id, first = await next_place()
        last = await send(
            [signed(record, OrderPlace(topic_id, first + index), key) for index, record in enumerate(records)]
        )
        if last == first + len(records) - 1:
            return last
    raise SendFailed(
        f"{TRIES} times another record took the offset for which the order was signed. Find out who writes to the topic of "
        "orders, then order again."
    )
