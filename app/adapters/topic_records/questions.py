"""Reads the topic of questions to customers."""

from collections.abc import AsyncIterator

from app.adapters.bounded_json import BoundedDecoder
from app.adapters.kafka.range_reader import RangeReader
from app.domain.notification import Notification

_question = BoundedDecoder(Notification)


async def questions(reader: RangeReader) -> AsyncIterator[Notification]:
    """Every question, partition after partition; records that are not questions are skipped."""
    for partition in range(reader.partitions):
        begin, end = await reader.extent(partition)
        async for records, _ in reader.records(partition, begin, end):
            for record in records:
                if (question := _question.attempt(record.value)) is not None:
                    yield question


async def find_question(reader: RangeReader, notification_id: str) -> Notification | None:
    """The question with this id; None without one, for example after retention."""
    async for question in questions(reader):
        if question.notification_id == notification_id:
            return question
    return None
