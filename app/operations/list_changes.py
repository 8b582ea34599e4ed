"""Changes lists and reads them, for commands: what is refused is refused before anything is written."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from app.adapters.kafka.batch_producer import BatchProducer
from app.adapters.kafka.records import OutRecord, Record
from app.adapters.topic_records.list_log import PARTITION, ListLog, decoded, list_record, too_large
from app.adapters.topic_records.list_reader import ListReader, open_list_reader
from app.errors import ConfigurationError, InvalidEvent
from app.lists.changes import ListChange
from app.lists.table import ListsFull
from app.settings import Settings

RECORDS_AT_ONCE = 20
"""Sent and acknowledged together; progress is shown after each."""


class Planned(NamedTuple):
    """The records that are to be written, and how many entries they change."""

    records: list[OutRecord]
    changed: int
    unchanged: int
    is_new_list: bool


def plan(log: ListLog, change: ListChange, groups: Iterable[list[str]]) -> Planned:
    """The records that make the change for those entries of ``groups`` that are not already as it says.

    An import that was interrupted is finished so when it is repeated. The change is applied to ``log`` alone. Raises
    ListsTooLarge where a worker with the same settings could not hold the lists.
    """
    records, changed, unchanged = list[OutRecord](), 0, 0
    state, is_new = log.state, change.list_name not in log.state.names
    for entries in groups:
        lacking = state.lacking(change, entries)
        unchanged += len(entries) - len(lacking)
        if lacking:
            part = msgspec.structs.replace(change, entries=lacking)
            try:
                state.apply(state.offset + 1, part)
            except ListsFull:
                raise too_large(log.max_entries) from None
            records.append(list_record(part))
            changed += len(lacking)
    return Planned(records, changed, unchanged, is_new)


async def read_lists(settings: Settings) -> ListLog:
    """The lists now. Raises ConfigurationError when the topic is missing or incomplete, or holds too much."""
    async with open_list_reader(settings) as reader:
        return await reader.read_to_end()


async def write(settings: Settings, records: Iterable[OutRecord], on_sent: Callable[[int], None]) -> int:
    """Send records in order and return the offset of the last one; ``on_sent`` gets the number so far. Raises SendFailed."""
    sender, last, sent = BatchProducer(settings.kafka), -1, 0
    await sender.start()
    try:
        for group in _grouped(records):
            last = await sender.send(settings.topics.lists, PARTITION, group)
            sent += len(group)
            on_sent(sent)
    finally:
        await sender.stop()
    return last


def _grouped(records: Iterable[OutRecord]) -> Iterator[list[OutRecord]]:
    iterator = iter(records)
    while group := list(islice(iterator, RECORDS_AT_ONCE)):
        yield group


class AsOf(NamedTuple):
    """A moment of the log: its end now, an offset, or the last record that the broker stored up to a time."""

    offset: int | None = None
    time_ms: int | None = None


async def past_records(reader: ListReader, as_of: AsOf) -> AsyncIterator[Record]:
    """The records up to a moment. Raises ConfigurationError for an offset that does not exist yet, and ListsIncomplete."""
    await reader.require_complete()
    end = await reader.end()
    if as_of.offset is not None:
        if as_of.offset >= end:
            raise ConfigurationError(
                f"{reader.topic} ends before offset {as_of.offset}: its next record has {end}"
            )
        end = as_of.offset + 1
    async for record in reader.records(0, end):
        if as_of.offset is None and as_of.time_ms is not None and record.timestamp > as_of.time_ms:
            return
        yield record


async def past_lists(settings: Settings, as_of: AsOf) -> ListLog:
    """The lists at a moment."""
    log = ListLog(settings.lists)
    async with open_list_reader(settings) as reader:
        async for record in past_records(reader, as_of):
            log.apply(record)
    return log


class Logged(NamedTuple):
    """A change and the offset of its record."""

    offset: int
    change: ListChange


async def history(
    settings: Settings, list_name: str, entry: str | None = None, as_of: AsOf | None = None
) -> AsyncIterator[Logged]:
    """The changes of a list, or of one entry of it, in order."""
    async with open_list_reader(settings) as reader:
        async for record in past_records(reader, as_of or AsOf()):
            try:
                change = decoded(record.value)
            except InvalidEvent:
                continue
            if change.list_name == list_name and (entry is None or entry in change.entries):
                yield Logged(record.offset, change)
