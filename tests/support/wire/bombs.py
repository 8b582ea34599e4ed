"""Record batches that are small where they are stored and large where they are read, made by hand as RFC 8878 says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.adapters.kafka.record_batches import limits
from app.settings import KafkaSettings
from tests.support.wire.record_batches import ZSTD, Stored, batch, record

MIB = 1024 * 1024
_BLOCK_BYTES = 128 * 1024
_MAGIC = b"\x28\xb5\x2f\xfd"
_RLE, _LAST = 1 << 1, 1


def zstd_bomb(unpacked_bytes: int, declared: int | None = None, window_log: int = 21) -> bytes:
    """A frame of ``unpacked_bytes`` zeros, four bytes for each 128 KiB. It declares a size, or only a window."""
    window = bytes([0, (window_log - 10) << 3])
    head = window if declared is None else b"\xe0" + declared.to_bytes(8, "little")
    blocks = bytearray()
    for start in range(0, unpacked_bytes, _BLOCK_BYTES):
        size = min(_BLOCK_BYTES, unpacked_bytes - start)
        last = _LAST if start + size == unpacked_bytes else 0
        blocks += (size << 3 | _RLE | last).to_bytes(3, "little") + b"\0"
    return _MAGIC + head + bytes(blocks)


def wide_batch(records: int, value_bytes: int, base_offset: int = 0) -> bytes:
    """A batch of compressible records; stored it takes a ten-thousandth of its size."""
    body = b"".join(record(Stored(b"c1", b" " * value_bytes), index) for index in range(records))
    return batch([Stored()] * records, body=body, codec=ZSTD, base_offset=base_offset)


@contextmanager
def reading_by(**bounds: Any) -> Iterator[None]:
    """The bounds of this process meanwhile."""
    limits.use(KafkaSettings(**bounds))
    try:
        yield
    finally:
        limits.use(KafkaSettings())
