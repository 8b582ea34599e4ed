"""Reads the batches of a Fetch response: aiokafka's compiled parser first, ``batch_format`` where that fails."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.adapters.kafka.record_batches.batch_format import (
    BatchUnreadable,
    Stop,
    batch_bytes,
    data_header,
    read_batch,
    with_end,
)
from app.adapters.kafka.record_batches.contained_fetch import KeptBatches


class ReadBatch(NamedTuple):
    """The records of one batch; none for a transaction marker."""

    records: list[Any]
    next_offset: int
    stop: Stop | None = None
    """Why the batch has no further records; ``next_offset`` is then the first that cannot be read."""


def read_batches(
    data: bytes, position: int, hides: Callable[[Any], bool] = lambda batch: batch.is_control_batch
) -> Iterator[ReadBatch]:
    """The batches with records from ``position`` on, without the records of those that ``hides`` says True of.

    After an unreadable batch, reading goes on with the batch behind it. A batch that is incomplete at the end of ``data``
    is left out, unless it is the first.
    """
    batches = KeptBatches(data, position)
    while batches.has_next():
        try:
            read = _fast(batches, position, hides)
        except Exception:  # noqa: BLE001  # of any kind: the parsers of aiokafka raise what their libraries raise
            raw, rest = batch_bytes(batches.data, batches.taken - 1)
            read = _tolerant(raw, position, hides)
            if read.stop is not None:
                read = read._replace(stop=with_end(read.stop, raw, rest))
            batches = KeptBatches(rest, read.next_offset, first=False)
        yield read
        position = read.next_offset


def _fast(batches: KeptBatches, position: int, hides: Callable[[Any], bool]) -> ReadBatch:
    batch = batches.next_batch()
    if not batch.validate_crc():
        raise ValueError("wrong checksum")
    if hides(batch):
        return ReadBatch([], batch.next_offset)
    # Brokers return whole batches: the first one may begin before the requested offset.
    return ReadBatch([record for record in batch if record.offset >= position], batch.next_offset)


def _tolerant(raw: bytes, position: int, hides: Callable[[Any], bool]) -> ReadBatch:
    records: list[Any] = []
    try:
        header = data_header(raw, position)
        if header.is_control_batch or hides(header):
            return ReadBatch([], header.next_offset)
        for record in read_batch(raw, position):
            records.append(record)  # noqa: PERF402  # those before an unreadable one are kept
    except BatchUnreadable as error:
        return ReadBatch(records, error.stop.offset, error.stop)
    return ReadBatch(records, header.next_offset)
