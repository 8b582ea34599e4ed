"""Sends dead letters to their source topic again, after the producer or a setting was corrected."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.records import OutRecord
from app.adapters.kafka.security import Cluster
from app.adapters.topic_records.dead_letters import DeadLetter
from app.errors import InvalidReason
from app.traffic.sending import open_sender

REPLAYED_HEADER = "fraud.dlq.replayed"


class Refused(NamedTuple):
    """A dead letter that must not be sent."""

    letter: DeadLetter
    why: str


class _Keyed(msgspec.Struct):
    """The field of a value from which its key is taken."""

    customer_id: str


_decode = BoundedDecoder(_Keyed).decode


def prepare(letter: DeadLetter, topic: str, *, rekey: bool) -> OutRecord | Refused:
    """Return the source record, with a header that names its original position, or the reason why it is refused."""
    if letter.source_topic != topic:
        # Security: a program that may write dead letters must not choose the topic that an operator writes to.
        return Refused(letter, f"it did not come from {topic}")
    if letter.code == InvalidReason.UNREADABLE:
        return Refused(letter, "its bytes are no record that can be sent")
    key = letter.key
    if letter.code == InvalidReason.KEY_MISMATCH:
        if not rekey:
            return Refused(letter, "its key is wrong: --with-key-from customer_id replaces it")
        try:
            key = _decode(letter.value or b"").customer_id.encode()
        except (ValueError, RecursionError):
            return Refused(letter, "it has no customer_id to take the key from")
    origin = f"{topic}:{letter.source}".encode()
    return OutRecord(key, letter.value, letter.timestamp_ms, [*letter.headers, (REPLAYED_HEADER, origin)])


async def send(records: AsyncIterator[OutRecord], topic: str, kafka: Cluster) -> int:
    """Send each record to the partition of its key; return the number acknowledged. Raises SendFailed."""
    async with open_sender(topic, kafka) as sender:

        async def feed() -> None:
            async for record in records:
                sender.put(record.key, record.value, record.timestamp_ms or 0, record.headers)
                await sender.wait_for_capacity()

        await sender.run(feed)
        return sender.acknowledged
