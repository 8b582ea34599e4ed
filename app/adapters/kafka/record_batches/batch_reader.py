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

    After an unreadable batch, reading goes on with the batch behind it.
    """
    cursor = BatchCursor(data)
    while True:
        try:
            if (batch := cursor.next_batch(position)) is None:
                return
            read = ReadBatch(_records(batch, cursor, position, hides), batch.next_offset)
        except Exception:  # noqa: BLE001  # of any kind: the parsers of aiokafka raise what their libraries raise
            raw, rest = cursor.cut()
            read = read_tolerantly(raw, rest, position, hides)
            cursor = BatchCursor(rest, first_is_whole=False)
        yield read
        position = read.next_offset


def _records(batch: Any, cursor: BatchCursor, position: int, hides: Hides) -> list[Any]:
    if cursor.is_special and hides(batch):
        return []
    records, first = list(batch), cursor.first_offset
    if first is not None and [record.offset for record in records] != list(
        range(first, first + len(records))
    ):
        # Brokers do not look at the offsets in records. Two with the same one would be taken for one.
        raise DamagedBatch("its records are numbered in another way")
    if records and records[0].offset < position:
        # Brokers return whole batches: the first one may begin before the requested offset.
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
