"""Goes through the batches of a Fetch response with aiokafka's compiled parser, and checks what no checksum covers."""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.record.memory_records import MemoryRecords

from app.adapters.kafka.record_batches import bounded_codecs
from app.adapters.kafka.record_batches.batch_format import MAGIC, PREFIX_BYTES
from app.adapters.kafka.record_batches.limits import in_force
from app.adapters.kafka.record_batches.record_scan import is_suspect
from app.adapters.library_errors import Translated

bounded_codecs.install()  # before any batch is read: aiokafka's own functions have no bound

_CHECKED = struct.Struct(">qi4xb4xhi30xi")
"""Base offset, length, format, attributes, last offset delta, number of records."""
_SHORTEST = _CHECKED.size - PREFIX_BYTES
"""The compiled parser would read behind a batch that is shorter than its header."""
_SPECIAL, _CODEC = 0x30, 0x07
"""Attributes of the records of a transaction and of its marker, and the codec among them."""
PART_RECORDS = 128
"""Records that are taken from a batch at once. Unpacked, a batch is small; half a million records of it are not."""


class DamagedBatch(ValueError):
    """aiokafka must not, or cannot, read a batch."""


PARSING = Translated(lambda error: DamagedBatch(type(error).__name__))
"""A batch that aiokafka cannot read is read record by record (`batch_format.read_batch`), and what is sound in it is delivered."""


class BatchCursor:
    """The batches of ``data``, one after the other.

    A batch that is incomplete at the end is left out, unless it is the first: brokers cut only a later one.
    """

    def __init__(self, data: bytes, *, first_is_whole: bool = True) -> None:
        self._data = data
        self._batches = MemoryRecords(data)
        self._start = self._end = 0
        self._limits = in_force()
        self._first_is_whole = first_is_whole
        self.is_special = False
        """Whether the batch belongs to a transaction."""
        self.first_offset: int | None = None
        """Of the batch, where it has a record for each of its offsets; None after compaction."""

    def next_batch(self, position: int) -> Any:
        """The next batch, None behind the last. It must hold offsets from ``position`` on. Raises DamagedBatch."""
        data, start = self._data, self._end
        left = len(data) - start
        if not left:
            return None
        self._start, self._end = start, len(data)
        if left < _CHECKED.size:
            return self._incomplete()
        base_offset, length, magic, attributes, last_delta, records = _CHECKED.unpack_from(data, start)
        if not _SHORTEST <= length <= left - PREFIX_BYTES:
            return self._incomplete()
        self._end = start + PREFIX_BYTES + length
        if magic == MAGIC:
            if base_offset + last_delta < position or records > self._limits.batch_records:
                raise DamagedBatch("it states earlier offsets, or too many records")
            self.is_special = attributes & _SPECIAL != 0
            self.first_offset = base_offset if records == last_delta + 1 else None
        else:
            self.is_special, self.first_offset = False, None
        with PARSING:
            batch = self._batches.next_batch()
            is_sound = batch.validate_crc()
        if not is_sound:
            raise DamagedBatch("it has a wrong checksum")
        # Where a batch is compressed, `bounded_codecs` looks at its records.
        is_plain = magic == MAGIC and not attributes & _CODEC
        if is_plain and is_suspect(data, start + _CHECKED.size, self._limits, self._end):
            raise DamagedBatch("a record of it exceeds a bound, or is damaged")
        return batch

    def parts(self, batch: Any) -> Iterator[list[Any]]:
        """The records of the batch taken last, PART_RECORDS at a time. Raises DamagedBatch.

        Brokers do not check the offsets in records. Of two with the same one, a consumer would skip the second.
        """
        expected = self.first_offset
        with PARSING:
            # Unpacks the batch. A generator, as aiokafka's own iterator must not be asked again after its end.
            records = (record for record in batch)
        while True:
            with PARSING:
                part = list(islice(records, PART_RECORDS))
            if not part:
                return
            if expected is not None:
                for record in part:
                    if record.offset != expected:
                        raise DamagedBatch("its records are numbered in another way")
                    expected += 1
            yield part

    def _incomplete(self) -> None:
        """End at a batch that the broker cut. The first, and one that is too short for its header, is damaged."""
        if self._start == 0 and self._first_is_whole:
            raise DamagedBatch("it is incomplete, or its length is damaged")

    def cut(self) -> tuple[bytes, bytes]:
        """The bytes of the batch taken last, and those behind it."""
        return self._data[self._start : self._end], self._data[self._end :]
