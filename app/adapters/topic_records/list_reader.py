"""Reads the topic of lists: to its end, up to a past offset, or for ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition

from app.adapters.kafka.records import Record
from app.adapters.kafka.tail_reader import TailReader, open_tail_reader
from app.adapters.topic_records.list_log import PARTITION, ListLog
from app.errors import ConfigurationError, ListsIncomplete
from app.lists.view import ListsView
from app.settings import Settings


class ListReader:
    """Records of the topic in order. Methods raise KafkaError where it cannot be read."""

    def __init__(self, settings: Settings, reader: TailReader) -> None:
        self.topic = settings.topics.lists
        self.topic_id = reader.topic_ids[self.topic]
        self._settings = settings
        self._reader = reader
        self._partition = TopicPartition(self.topic, PARTITION)

    async def require_complete(self) -> None:
        """Raise ListsIncomplete when the first records were deleted: entries would be missing without a sign."""
        first = (await self._reader.begins())[self._partition]
        if first > 0:
            raise ListsIncomplete(
                f"{self.topic} begins at offset {first}: earlier records were deleted, and with them entries of lists. The topic "
                "must have retention.ms=-1 and retention.bytes=-1. Restore it from a mirror, or create it again and import the lists"
            )

    async def end(self) -> int:
        """The offset that the next record will have."""
        return (await self._reader.ends())[self._partition]

    async def records(self, start: int, end: int) -> AsyncIterator[Record]:
        """The records from ``start`` up to, not including, ``end``."""
        async for record in self._reader.until({self._partition: end}, start=start):
            yield record

    async def read_to_end(self) -> ListLog:
        """All records up to the present end. Raises ListsTooLarge, and as ``require_complete``."""
        await self.require_complete()
        log = ListLog(self._settings.lists)
        async for record in self.records(0, await self.end()):
            log.apply(record)
        return log

    async def after(self, offset: int) -> AsyncIterator[list[Record]]:
        """The records behind ``offset``, as they arrive; endless."""
        self._reader.seek(self._partition, offset + 1)
        async for records in self._reader.batches():
            yield records


class PastLists:
    """The lists as of past offsets, for a replay. Offsets in ascending order read the topic once."""

    def __init__(self, settings: Settings, reader: ListReader) -> None:
        self._settings = settings
        self._reader = reader
        self._log = ListLog(settings.lists)

    async def at(self, offset: int) -> ListsView:
        """The lists after the record at ``offset``; -1 for before the first. Raises ConfigurationError for one in the future."""
        if offset < self._log.state.offset:
            self._log = ListLog(self._settings.lists)
        state = self._log.state
        if offset > state.offset:
            if offset >= await self._reader.end():
                raise ConfigurationError(f"{self._reader.topic} has no record at offset {offset} yet")
            async for record in self._reader.records(state.offset + 1, offset + 1):
                self._log.apply(record)
            if (
                state.offset < offset
            ):  # compaction and retention are off, but a marker of a transaction has an offset too
                state.pass_over(offset)
        return state.current()


@asynccontextmanager
async def open_list_reader(settings: Settings) -> AsyncIterator[ListReader]:
    """A reader of the topic of lists. Raises ConfigurationError when it does not exist."""
    async with open_tail_reader(settings.kafka, [settings.topics.lists], from_beginning=True) as reader:
        yield ListReader(settings, reader)


@asynccontextmanager
async def open_past_lists(settings: Settings) -> AsyncIterator[PastLists]:
    """Reads past states of the lists. Raises ConfigurationError when the topic does not exist, and ListsIncomplete."""
    async with open_list_reader(settings) as reader:
        await reader.require_complete()
        yield PastLists(settings, reader)
