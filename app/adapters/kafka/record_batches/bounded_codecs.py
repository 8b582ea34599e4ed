"""Decompression of record batches with an upper bound: a batch of some kilobytes may unpack to gigabytes.

aiokafka decompresses without a bound. ``install`` puts these functions in place of its own, for every client of the process.
"""

import sys
import threading
import zlib
from collections.abc import Callable

import cramjam
from aiokafka.record.default_records import DefaultRecordBatch

MAX_UNPACKED_BYTES = 64 * 1024 * 1024
"""Eight times the largest batch that our topics accept, and 64 times that of the transactions topic."""
_USUAL_BYTES = 4 * 1024 * 1024
"""Batches are rarely larger: by default Kafka's producers send at most 1 MiB; ours send at most 4 MiB."""

_FULL = "failed to write whole buffer"
"""The text by which cramjam's error says that a buffer is full; a test fails if a release changes it."""

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_BYTES = 16
"""Header of snappy-java: the magic and two version numbers. Blocks follow, each after its length."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


class CannotDecompress(ValueError):
    """The bytes are not what their codec makes, or they unpack to more than MAX_UNPACKED_BYTES."""


def decompress(codec: int, payload: bytes) -> bytes:
    """The records of a batch. ``codec`` is the number in its attributes. Raises CannotDecompress."""
    if codec == 0:
        return payload
    if codec not in _CODECS:
        raise CannotDecompress(f"names the unknown codec {codec}")
    name, unpack = _CODECS[codec]
    try:
        return unpack(payload)
    except (ValueError, zlib.error, cramjam.DecompressionError, OverflowError, MemoryError) as error:
        if isinstance(error, CannotDecompress):
            raise
        raise CannotDecompress(f"cannot be unpacked with {name}: {error}") from None


def install() -> None:
    """Bound what every consumer of this process unpacks. Raises ImportError when aiokafka moved its codecs."""
    # As fast_zstd: the parser looks these names up for each batch, whether it is compiled or not.
    parser = vars(sys.modules[DefaultRecordBatch.__module__])
    for codec, (name, _) in _CODECS.items():
        if f"{name}_decode" not in parser:
            raise ImportError(f"aiokafka moved {name}_decode: adapt {__name__}")
        parser[f"{name}_decode"] = _bounded(codec)


def _bounded(codec: int) -> Callable[[bytes], bytes]:
    return lambda payload: decompress(codec, bytes(payload))


def _too_large() -> CannotDecompress:
    return CannotDecompress(f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")


def _gzip(payload: bytes) -> bytes:
    """All members. Bytes behind the last one are ignored, as by Java's GZIPInputStream and therefore by brokers."""
    unpacked = bytearray()
    while True:
        member = zlib.decompressobj(_GZIP_WINDOW)
        unpacked += member.decompress(payload, MAX_UNPACKED_BYTES + 1 - len(unpacked))
        if len(unpacked) > MAX_UNPACKED_BYTES:
            raise _too_large()
        if not member.eof:
            raise CannotDecompress("ends within its gzip data")
        payload = member.unused_data
        if not payload.startswith(_GZIP_MAGIC):
            return bytes(unpacked)


def _snappy(payload: bytes) -> bytes:
    if not payload.startswith(_XERIAL):
        return _snappy_block(payload, 0)
    unpacked, at = bytearray(), _XERIAL_BYTES
    while at < len(payload):
        length = int.from_bytes(payload[at : at + 4], "big")
        block = payload[at + 4 : at + 4 + length]
        if not length or len(block) < length:
            raise CannotDecompress("ends within a snappy block")
        unpacked += _snappy_block(block, len(unpacked))
        at += 4 + length
    return bytes(unpacked)


def _snappy_block(block: bytes, before: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > MAX_UNPACKED_BYTES - before:
        raise _too_large()
    return bytes(cramjam.snappy.decompress_raw(block))


def _into(unpack: Callable[[bytes, bytearray], int]) -> Callable[[bytes], bytes]:
    """Unpack into a buffer that the codec cannot grow. It is reused: a new one costs more than the unpacking."""

    def bounded(payload: bytes) -> bytes:
        buffer = _buffer()
        while True:
            try:
                size = unpack(payload, buffer)
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
                if len(buffer) == MAX_UNPACKED_BYTES:
                    raise _too_large() from None
                buffer = bytearray(min(4 * len(buffer), MAX_UNPACKED_BYTES))
            else:
                return bytes(memoryview(buffer)[:size])

    return bounded


def _buffer() -> bytearray:
    """Of this thread."""
    if not hasattr(_threads, "buffer"):
        _threads.buffer = bytearray(_USUAL_BYTES)
    buffer: bytearray = _threads.buffer
    return buffer


_threads = threading.local()
_CODECS: dict[int, tuple[str, Callable[[bytes], bytes]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _into(cramjam.lz4.decompress_into)),
    4: ("zstd", _into(cramjam.zstd.decompress_into)),
}
"""By the number in the attributes of a batch."""
