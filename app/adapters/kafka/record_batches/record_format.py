"""Parses the records of a batch of Kafka's message format 2 as Kafka's Java client does."""

from typing import NamedTuple

from app.adapters.kafka.record_batches.limits import ReadLimits, excess
from app.adapters.kafka.records import Unreadable

_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x08, 0x10, 0x20
_LENGTH_BITS, _TIME_BITS = 32, 64
KEPT_BYTES = 64 * 1024
"""Of a record that exceeds a bound: its dead letter has the beginning of it. The whole stays in its topic."""


class BatchRecord(NamedTuple):
    """A stored record, with the fields of aiokafka's DefaultRecord that its consumer reads."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    """Names are decoded with ``surrogateescape``, so that each has one str, and its bytes can be had back."""
    checksum: None = None


class BatchHeader(NamedTuple):
    """The fields before the records of a batch."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records: int

    @property
    def next_offset(self) -> int:
        """The offset after the batch."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def is_control_batch(self) -> bool:
        """A transaction marker."""
        return bool(self.attributes & _CONTROL)

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & _TRANSACTIONAL)


def read_record(
    body: bytes, at: int, header: BatchHeader, index: int, earliest: int, limits: ReadLimits
) -> tuple[BatchRecord, int]:
    """The record number ``index`` at ``at``, and the end of it. One that exceeds ``limits`` is Unreadable.

    Raises ValueError or IndexError where its length is damaged, or its content while only that says its offset.
    """
    length, start = varint(body, at, _LENGTH_BITS)
    end = start + length
    if length < 0 or end > len(body):
        raise ValueError(f"its length is {length}, and {len(body) - start} bytes are left")
    # Brokers number the records of a new batch by their order, and do not look at the number in a record.
    is_dense = header.records == header.last_offset_delta + 1
    offset = header.base_offset + index if is_dense else None
    if why := _excess(body, start, end, limits):
        offset = _own_offset(body, start, header, earliest) if offset is None else offset
        kept = body[start : min(end, start + KEPT_BYTES)]
        cut = f"; these are its first {KEPT_BYTES:,} bytes" if end - start > KEPT_BYTES else ""
        return _unreadable(offset, kept, f"{why}{cut}", header), end
    content = body[start:end]
    try:
        return _content(content, header, earliest, offset), end
    except (ValueError, IndexError) as error:
        if offset is None:
            raise
        return _unreadable(offset, content, f"the record is damaged: {error}", header), end


def _excess(body: bytes, start: int, end: int, limits: ReadLimits) -> str:
    try:
        return excess(body, start, end, limits)
    except IndexError:
        return ""


def _own_offset(body: bytes, start: int, header: BatchHeader, earliest: int) -> int:
    _, at = varint(body, start + 1, _TIME_BITS)
    delta, _ = varint(body, at, _LENGTH_BITS)
    return _checked_offset(header.base_offset + delta, header, earliest)


def _checked_offset(offset: int, header: BatchHeader, earliest: int) -> int:
    if not earliest <= offset < header.next_offset:
        raise ValueError(f"its offset is {offset}, outside {earliest} to {header.next_offset}")
    return offset


def _unreadable(offset: int, stored: bytes, why: str, header: BatchHeader) -> BatchRecord:
    value = Unreadable(stored)
    value.why = why
    return BatchRecord(offset, header.max_timestamp, _time_type(header), None, value, [])


def _content(content: bytes, header: BatchHeader, earliest: int, offset: int | None) -> BatchRecord:
    """The record in ``content``, which begins with its attributes; they are unused. None as offset is its own."""
    delta, at = varint(content, 1, _TIME_BITS)
    offset_delta, at = varint(content, at, _LENGTH_BITS)
    offset = _checked_offset(
        header.base_offset + offset_delta if offset is None else offset, header, earliest
    )
    key, at = _bytes(content, at)
    value, at = _bytes(content, at)
    count, at = varint(content, at, _LENGTH_BITS)
    if not 0 <= count <= len(content) - at:
        raise ValueError(f"it states {count} headers")
    headers = []
    for _ in range(count):
        name, at = _bytes(content, at)
        if name is None:
            raise ValueError("a header has no name")
        header_value, at = _bytes(content, at)
        headers.append((name.decode("utf-8", "surrogateescape"), header_value))
    if at != len(content):
        raise ValueError(f"{len(content) - at} bytes follow its last header")
    timestamp = header.max_timestamp if _time_type(header) else header.first_timestamp + delta
    return BatchRecord(offset, timestamp, _time_type(header), key, value, headers)


def _time_type(header: BatchHeader) -> int:
    """1 where the broker's time replaces that of the producer, else 0."""
    return int(bool(header.attributes & _APPEND_TIME))


def _bytes(content: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = varint(content, at, _LENGTH_BITS)
    if length < 0:
        return None, at
    end = at + length
    if end > len(content):
        raise ValueError(f"a field states {length} bytes, and {len(content) - at} are left")
    return content[at:end], end


def varint(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """A zigzag number of at most ``bits`` bits and the index after it. Raises ValueError, or IndexError at the end."""
    raw = shift = 0
    while True:
        byte = data[at]
        raw |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            raw &= (1 << bits) - 1
            return (raw >> 1) ^ -(raw & 1), at
        shift += 7
        if shift >= bits:
            raise ValueError("a number has too many bytes")
