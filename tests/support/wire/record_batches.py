"""Record batches as bytes, made without any code of the service or of a Kafka client: also those that clients refuse to make."""

import gzip
import struct
from collections.abc import Sequence
from typing import NamedTuple

import cramjam

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
HEADER_BYTES = 61


class Stored(NamedTuple):
    """One record; a header name is bytes here."""

    key: bytes | None = b"k"
    value: bytes | None = b"v"
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    timestamp_delta: int = 0
    attributes: int = 0


def batch(
    records: Sequence[Stored],
    *,
    base_offset: int = 0,
    codec: int = NONE,
    attributes: int = 0,
    body: bytes | None = None,
    payload: bytes | None = None,
    deltas: Sequence[int] | None = None,
    first_timestamp: int = 1_767_225_600_000,
) -> bytes:
    """A batch with a sound checksum. ``body`` replaces the encoded records, ``payload`` also their compression."""
    offsets = list(range(len(records))) if deltas is None else list(deltas)
    encoded = b"".join(record(*each) for each in zip(records, offsets, strict=True)) if body is None else body
    packed = compressed(codec, encoded) if payload is None else payload
    last = offsets[-1] if offsets else 0
    counted = struct.pack(
        ">hiqqqhii",
        attributes | codec,
        last,
        first_timestamp,
        first_timestamp + max((one.timestamp_delta for one in records), default=0),
        *(-1, -1, -1, len(records)),
    )
    checked = counted + packed
    return struct.pack(">qiibI", base_offset, len(checked) + 9, -1, 2, crc32c(checked)) + checked


def record(stored: Stored, offset_delta: int) -> bytes:
    """One record with its length."""
    content = bytes([stored.attributes & 0xFF]) + varint(stored.timestamp_delta) + varint(offset_delta)
    content += field(stored.key) + field(stored.value) + varint(len(stored.headers))
    content += b"".join(field(name) + field(value) for name, value in stored.headers)
    return varint(len(content)) + content


def field(value: bytes | None) -> bytes:
    return varint(-1) if value is None else varint(len(value)) + value


def varint(number: int) -> bytes:
    """Zigzag, seven bits a byte, the lowest first."""
    rest, found = (number << 1) ^ (number >> 63), bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


def compressed(codec: int, body: bytes) -> bytes:
    if codec == GZIP:
        return gzip.compress(body)
    if codec == SNAPPY:
        block = bytes(cramjam.snappy.compress_raw(body))
        return b"\x82SNAPPY\x00" + struct.pack(">iii", 1, 1, len(block)) + block
    if codec == LZ4:
        return bytes(cramjam.lz4.compress(body))
    return bytes(cramjam.zstd.compress(body)) if codec == ZSTD else body


def with_checksum(raw: bytes) -> bytes:
    """The batch with the checksum that its bytes have now."""
    return raw[:17] + struct.pack(">I", crc32c(raw[21:])) + raw[21:]


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), bit by bit over a table."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for index in range(256):
        crc = index
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _table()
