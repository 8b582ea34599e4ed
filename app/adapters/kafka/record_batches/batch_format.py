"""Parses record batches of Kafka's message format 2 as Kafka's Java client does, where aiokafka's parser is stricter.

aiokafka refuses header names that are not UTF-8 and record attributes above 127. This parser reads both. It is written in
Python and takes twenty times as long, so it only reads the batches that aiokafka's compiled parser refuses. The format:
https://kafka.apache.org/documentation/#messageformat.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from aiokafka.record.util import calc_crc32c

from app.adapters.kafka.record_batches.bounded_codecs import CannotDecompress, decompress
from app.adapters.kafka.record_batches.limits import in_force, setting
from app.adapters.kafka.record_batches.record_format import BatchHeader, BatchRecord, read_record

MAGIC = 2
PREFIX_BYTES = 12
"""Base offset and length, which are the same in all formats. The length counts the bytes after them."""
MAX_BATCH_OFFSETS = 10_000_000
"""More offsets than a batch of 64 MiB has room for, at seven bytes a record."""
_HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qi")
_CHECKED_FROM = 21
"""The checksum covers the bytes from here on."""
_CODEC = 0x07


class Stop(NamedTuple):
    """Where a partition cannot be read."""

    offset: int
    next_offset: int | None
    """The offset after the unreadable ones; None where it is unknown."""
    why: str

    def __str__(self) -> str:
        return f"offset {self.offset}: {self.why}"


class BatchUnreadable(Exception):
    """The records of a batch from ``stop.offset`` on cannot be read."""

    def __init__(self, offset: int, next_offset: int | None, why: str) -> None:
        self.stop = Stop(offset, next_offset, why)
        super().__init__(str(self.stop))


def batch_end(data: bytes, start: int = 0) -> int | None:
    """The end of the batch that begins at ``start``; None where it is not whole, or its length is damaged."""
    if len(data) - start < PREFIX_BYTES:
        return None
    _, length = _PREFIX.unpack_from(data, start)
    end: int = start + PREFIX_BYTES + length
    return end if length >= 0 and end <= len(data) else None


def read_batch(raw: bytes, position: int) -> Iterator[BatchRecord]:
    """The records of one batch from the offset ``position`` on. Raises BatchUnreadable at the first that cannot be read.

    A record whose length is sound and whose content is not is returned with its bytes as an Unreadable value.
    """
    header = sound_header(raw, position)
    body, limits = _unpacked(raw, header, position), in_force()
    next_offset, at = header.base_offset, 0
    for index in range(header.records):
        try:
            record, at = read_record(body, at, header, index, next_offset, limits)
        except (ValueError, IndexError) as error:
            where = f"record {index + 1} of {header.records}"
            raise BatchUnreadable(
                max(next_offset, position), header.next_offset, f"{where} is damaged: {error}"
            ) from None
        next_offset = record.offset + 1
        if record.offset >= position:
            yield record
    if at != len(body):
        raise BatchUnreadable(
            max(next_offset, position),
            header.next_offset,
            f"{len(body) - at} bytes follow the {header.records} records",
        )


def header_of(raw: bytes) -> BatchHeader | None:
    """The header of a batch, unchecked; None where the bytes are too few."""
    return BatchHeader(*_HEADER.unpack_from(raw)) if len(raw) >= _HEADER.size else None


def with_end(stop: Stop, raw: bytes, rest: bytes) -> Stop:
    """The stop with the most plausible end of the damaged batch ``raw``: the offset of the batch behind it, or its own claim."""
    following, own = header_of(rest), header_of(raw)
    if stop.next_offset is not None:
        return stop
    if following is not None and following.base_offset > stop.offset:
        return stop._replace(next_offset=following.base_offset)
    claimed = None if own is None else own.next_offset
    if claimed is not None and stop.offset < claimed <= stop.offset + MAX_BATCH_OFFSETS:
        return stop._replace(next_offset=claimed)
    return stop


def data_header(raw: bytes, position: int) -> BatchHeader:
    """As ``sound_header``, of a batch that aiokafka refuses: it may be a transaction marker that compaction emptied."""
    header = sound_header(raw, position)
    if header.is_control_batch and header.records:
        # Only brokers write them. Without this one it is unknown whether the records before it were committed.
        raise BatchUnreadable(position, None, "a transaction marker is damaged")
    return header


def sound_header(raw: bytes, position: int) -> BatchHeader:
    """The header of a batch that holds offsets from ``position`` on. Raises BatchUnreadable where it is damaged."""
    header = header_of(raw)
    if header is None:
        raise BatchUnreadable(position, None, f"a batch of {len(raw)} bytes is incomplete")
    if header.length != len(raw) - PREFIX_BYTES:
        why = f"the batch states a length of {header.length} bytes and has {len(raw) - PREFIX_BYTES}"
        raise BatchUnreadable(position, None, why)
    if header.magic != MAGIC:
        raise BatchUnreadable(position, None, f"the batch has the unknown or damaged format {header.magic}")
    if header.checksum != calc_crc32c(raw[_CHECKED_FROM:]):
        # Every field after the checksum may be the damaged one, so its next offset is not trusted.
        raise BatchUnreadable(position, None, "the batch has a wrong checksum")
    if header.last_offset_delta < 0 or header.base_offset + header.last_offset_delta < position:
        why = f"the batch states its offsets as {header.base_offset} to {header.base_offset + header.last_offset_delta}"
        raise BatchUnreadable(position, None, why)
    if header.records > (most := in_force().batch_records):
        why = f"the batch has {header.records:,} records, more than {setting('batch_records')}={most:,}"
        raise BatchUnreadable(position, header.next_offset, why)
    return header


def _unpacked(raw: bytes, header: BatchHeader, position: int) -> bytes:
    payload = raw[_HEADER.size :]
    try:
        return decompress(header.attributes & _CODEC, payload)
    except CannotDecompress as error:
        raise BatchUnreadable(
            max(header.base_offset, position), header.next_offset, f"the batch {error}"
        ) from None
