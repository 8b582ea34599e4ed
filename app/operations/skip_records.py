"""Leaves out records that cannot be read: keeps their bytes as a dead letter, and orders every group to resume behind them."""

import getpass
import os
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.adapters.kafka import admin as kafka_admin
from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.bulk_fetch import open_bulk_fetcher
from app.adapters.kafka.range_reader import LogRecord
from app.adapters.kafka.record_batches.batch_format import Stop, batch_end
from app.adapters.kafka.record_batches.batch_reader import read_batches
from app.adapters.kafka.records import OutRecord
from app.adapters.topic_records.control_log import skip_record
from app.adapters.topic_records.dead_letters import LogPosition
from app.adapters.topic_records.order_sending import send_orders
from app.domain.control import SkipOrder
from app.errors import ConfigurationError, InvalidEvent, InvalidReason
from app.processing.output_records import dead_letter
from app.settings import Settings
from app.topics.topic_specs import LARGE_MESSAGE_BYTES

MAX_DEAD_LETTER_BYTES = LARGE_MESSAGE_BYTES - 64 * 1024
"""Of the bytes that a dead letter keeps; its headers and the batch around it need the rest."""


class UnreadableRecords(NamedTuple):
    """The unreadable records at the offset."""

    topic: str
    topic_id: str
    partition: int
    offset: int
    next_offset: int
    why: str
    stored: bytes
    """The whole batch."""

    def __str__(self) -> str:
        last = self.next_offset - 1
        return f"{self.topic}-{self.partition}, offset {self.offset} to {last} ({self.why})"


async def find_unreadable(
    settings: Settings, topic: str, partition: int, offset: int, next_offset: int | None = None
) -> UnreadableRecords:
    """The unreadable records from ``offset`` on; ``next_offset`` is needed where the batch does not say its end.

    Raises ConfigurationError for a topic, partition or offset that does not exist, and for records that can be read.
    """
    async with kafka_admin.connect(settings.kafka) as admin:
        found = (await admin.find({topic: ()})).get(topic)
    if found is None or not 0 <= partition < found.partitions:
        raise ConfigurationError(f"{topic}-{partition} does not exist")
    async with open_bulk_fetcher(settings.kafka) as log:
        data = (await log.fetch(topic, partition, offset, offset)).data
    stop = _stop(f"{topic}-{partition}", data, offset)
    end = next_offset or stop.next_offset
    if end is None or end <= offset:
        raise ConfigurationError(
            f"{topic}-{partition} cannot be read from offset {offset}: {stop.why}. Where that ends is unknown: give --to, the "
            "first offset behind it"
        )
    topic_id = kafka_admin.topic_id_text(found.topic_id)
    return UnreadableRecords(topic, topic_id, partition, offset, end, stop.why, data[: batch_end(data)])


def _stop(partition_name: str, data: bytes, offset: int) -> Stop:
    first = next(read_batches(data, offset), None)
    if first is None:
        raise ConfigurationError(f"{partition_name} has no record at offset {offset}")
    if first.stop is None:
        raise ConfigurationError(f"{partition_name} can be read at offset {offset}: nothing is left out")
    if first.stop.offset != offset:
        raise ConfigurationError(
            f"{partition_name} can be read up to offset {first.stop.offset - 1}: give {first.stop.offset} as OFFSET"
        )
    return first.stop


async def skip(
    settings: Settings, unreadable: UnreadableRecords, reason: str, key: Ed25519PrivateKey | None = None
) -> LogPosition:
    """Keep the bytes as a dead letter, then give the order; return the position of the dead letter. Raises SendFailed."""
    order = SkipOrder(
        topic=unreadable.topic,
        topic_id=unreadable.topic_id,
        partition=unreadable.partition,
        offset=unreadable.offset,
        next_offset=unreadable.next_offset,
        why=unreadable.why,
        reason=reason,
        ordered_by=operator(os.environ),
        ordered_at=time.time_ns() // 1_000_000,
    )
    partition = unreadable.partition % settings.topics.partitions
    sender = BatchProducer(settings.kafka)
    await sender.start()
    try:
        letter = dead_letter_of(order, unreadable.stored)
        offset = await sender.send(settings.topics.dead_letters, partition, [letter])
    finally:
        await sender.stop()
    await send_orders(settings, [skip_record(order)], key)
    return LogPosition(partition, offset)


def dead_letter_of(order: SkipOrder, stored: bytes) -> OutRecord:
    """The dead letter of records that are left out: the bytes of their batch, and who left them out for what reason."""
    kept = stored if len(stored) <= MAX_DEAD_LETTER_BYTES else None
    what = f"the {len(stored)} bytes of the stored batch" + (
        "" if kept else " are too many for a dead letter"
    )
    detail = (
        f"offset {order.offset} to {order.next_offset - 1}, {order.why}; {what}; "
        f"left out by {order.ordered_by}: {order.reason}"
    )
    record = LogRecord(order.topic, order.partition, order.offset, order.ordered_at, None, kept, ())
    return dead_letter(record, InvalidEvent(InvalidReason.UNREADABLE, detail))


def operator(environment: Mapping[str, str]) -> str:
    """USER@HOST of this process; through sudo, the user who called it."""
    try:
        user = environment.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container may run under an id that has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
