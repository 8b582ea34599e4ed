"""Reads the batches of a Fetch response: aiokafka's compiled parser first, ``batch_format`` where that fails."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.adapters.kafka.record_batches.batch_cursor import PART_RECORDS, BatchCursor, DamagedBatch
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
    """The next records of a batch, at most PART_RECORDS; none for a transaction marker."""

    records: list[Any]
    next_offset: int
    stop: Stop | None = None
    """Why the batch has no further records; ``next_offset`` is then the first that cannot be read."""


def is_marker(batch: Any) -> bool:
    """Hides transaction markers only."""
    return bool(batch.is_control_batch)


def read_batches(data: bytes, position: int, hides: Hides = is_marker) -> Iterator[ReadBatch]:
    """The batches with records from ``position`` on, part by part, without the records of those that ``hides`` says True of.

    A batch that cannot be read ends only its own records; the next batch is read as usual.
    """
    cursor = BatchCursor(data)
    while True:
        try:
            if (batch := cursor.next_batch(position)) is None:
                return
            hidden = cursor.is_special and hides(batch)
            parts = iter([[]]) if hidden else cursor.parts(batch)
            for read in _numbered(parts, position, batch.next_offset):
                position = read.next_offset
                yield read
        except DamagedBatch:
            raw, rest = cursor.cut()
            for read in _read_tolerantly(raw, rest, position, hides):
                position = read.next_offset
                yield read
            cursor = BatchCursor(rest, first_is_whole=False)


def _numbered(parts: Iterator[list[Any]], position: int, end: int) -> Iterator[ReadBatch]:
    """The parts with records from ``position`` on, each with the offset behind it: ``end`` for the last one.

    Brokers return whole batches: the first one may begin before the requested offset. A part that is followed by damage is given
    before the damage is raised.
    """
    waiting: list[Any] = []
    try:
        for part in parts:
            if waiting:
                yield ReadBatch(waiting, waiting[-1].offset + 1)
            waiting = part
            if part and part[0].offset < position:
                waiting = [record for record in part if record.offset >= position]
    except DamagedBatch:
        if waiting:
            yield ReadBatch(waiting, waiting[-1].offset + 1)
        raise
    yield ReadBatch(waiting, end)


def _read_tolerantly(raw: bytes, rest: bytes, position: int, hides: Hides) -> Iterator[ReadBatch]:
    """Read a batch that the cursor refuses; ``rest`` are the bytes behind it."""
    records: list[Any] = []
    try:
        header = data_header(raw, position)
        if header.is_control_batch or hides(header):
            yield ReadBatch([], header.next_offset)
            return
        for record in read_batch(raw, position):
            if len(records) == PART_RECORDS:
                yield ReadBatch(records, records[-1].offset + 1)
                records = []
            records.append(record)
    except BatchUnreadable as error:
        yield ReadBatch(records, error.stop.offset, with_end(error.stop, raw, rest))
    else:
        yield ReadBatch(records, header.next_offset)
