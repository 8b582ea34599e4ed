"""Reads the batches of a Fetch response: aiokafka's compiled parser first, ``batch_format`` where that fails."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.adapters.kafka.record_batches.batch_cursor import BatchCursor, DamagedBatch
from app.adapters.kafka.record_batches.batch_format import (
    BatchUnreadable,
    Stop,
    data_header,
    read_batch,
    with_end,
)

Hides = Callable[[Any], bool]
"""Whether the records of a batch must not be seen."""


class ReadBatch(NamedTuple):
    """The records of one batch; none for a transaction marker."""

    records: list[Any]
    next_offset: int
    stop: Stop | None = None
    """Why the batch has no further records; ``next_offset`` is then the first that cannot be read."""


def is_marker(batch: Any) -> bool:
    """Hides transaction markers only."""
    return bool(batch.is_control_batch)


def read_batches(data: bytes, position: int, hides: Hides = is_marker) -> Iterator[ReadBatch]:
    """The batches with records from ``position`` on, without the records of those that ``hides`` says True of.

    A batch that cannot be read ends only its own records; the next batch is read as usual.
    """
    cursor = BatchCursor(data)
    while True:
        try:
            if (batch := cursor.next_batch(position)) is None:
                return
            hidden = cursor.is_special and hides(batch)
            read = ReadBatch([] if hidden else _from(position, cursor.records(batch)), batch.next_offset)
        except DamagedBatch:
            raw, rest = cursor.cut()
            read = read_tolerantly(raw, rest, position, hides)
            cursor = BatchCursor(rest, first_is_whole=False)
        yield read
        position = read.next_offset


def _from(position: int, records: list[Any]) -> list[Any]:
    """Brokers return whole batches: the first one may begin before the requested offset."""
    if records and records[0].offset < position:
        return [record for record in records if record.offset >= position]
    return records


def read_tolerantly(raw: bytes, rest: bytes, position: int, hides: Hides) -> ReadBatch:
    """Read a batch that the cursor refuses; ``rest`` are the bytes behind it."""
    records: list[Any] = []
    try:
        header = data_header(raw, position)
        if header.is_control_batch or hides(header):
            return ReadBatch([], header.next_offset)
        for record in read_batch(raw, position):
            records.append(record)  # noqa: PERF402  # those before an unreadable one are kept
    except BatchUnreadable as error:
        return ReadBatch(records, error.stop.offset, with_end(error.stop, raw, rest))
    return ReadBatch(records, header.next_offset)
