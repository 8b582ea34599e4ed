"""Questions to customers as they stand on their topic."""

from collections.abc import AsyncIterator

import msgspec

from app.adapters.kafka.range_reader import RangeReader
from app.domain.notification import Notification

_decode = msgspec.json.Decoder(Notification).decode


async def questions(reader: RangeReader) -> AsyncIterator[Notification]:
    """All of them, partition after partition; a record of somebody else's is passed over."""
    for partition in range(reader.partitions):
        begin, end = await reader.extent(partition)
        async for records, _ in reader.records(partition, begin, end):
            for record in records:
                try:
                    yield _decode(record.value or b"")
                except (ValueError, RecursionError):
                    continue


async def find_question(reader: RangeReader, notification_id: str) -> Notification | None:
    """None when it is not there (any more)."""
    async for question in questions(reader):
        if question.notification_id == notification_id:
            return question
    return None
