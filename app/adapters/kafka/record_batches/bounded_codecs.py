"""Decompression of record batches with an upper bound: a batch of some kilobytes may unpack to gigabytes.

aiokafka decompresses without a bound. ``install`` puts these functions in place of its own, for every client of the process. A
declared size beyond the bound is refused before memory is taken; what inflates beyond it is refused where it does.
"""

import sys
import threading
import zlib
from collections.abc import Callable

import cramjam
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from app.adapters.kafka.record_batches.declared_sizes import lz4_declares, zstd_declares
from app.adapters.kafka.record_batches.limits import in_force, setting
from app.adapters.kafka.record_batches.record_scan import is_suspect

_USUAL_BYTES = 4 * 1024 * 1024
"""Batches are rarely larger: by default Kafka's producers send at most 1 MiB; ours send at most 4 MiB."""
_MOST_MEMBERS = 100
"""Of gzip data. Producers write one; each further one costs a copy of the rest."""

_FULL = "failed to write whole buffer"
"""The text by which cramjam's error says that a buffer is full; a test fails if a release changes it."""

_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_BYTES = 16
"""Header of snappy-java: the magic and two version numbers. Blocks follow, each after its length."""
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31


Unpack = Callable[[bytes, int], bytes]
"""From compressed bytes, and the most that they may unpack to, to the bytes."""


class CannotDecompress(ValueError):
    """The bytes are not what their codec makes, or they unpack to more than is allowed."""


class SuspectRecords(ValueError):
    """A record exceeds a bound, or is damaged. `read_record` says which."""


def decompress(codec: int, payload: bytes, most_bytes: int | None = None) -> bytes:
    """The records of a batch. ``codec`` is the number in its attributes. Raises CannotDecompress.

    ``most_bytes`` is the bound; by default the one of the settings.
    """
    if codec == 0:
        return payload
    if codec not in _CODECS:
        raise CannotDecompress(f"names the unknown codec {codec}")
    name, unpack = _CODECS[codec]
    try:
        return unpack(payload, in_force().batch_unpacked_bytes if most_bytes is None else most_bytes)
    except (ValueError, zlib.error, cramjam.DecompressionError, OverflowError, MemoryError) as error:
        if isinstance(error, CannotDecompress):
            raise
        raise CannotDecompress(f"cannot be unpacked with {name}: {error}") from None


def install() -> None:
    """Bound what every consumer of this process unpacks. Raises ImportError when aiokafka moved its codecs."""
    # As fast_zstd: the parsers look these names up for each batch, whether they are compiled or not.
    for batch in (DefaultRecordBatch, LegacyRecordBatch):
        parser = vars(sys.modules[batch.__module__])
        for codec, (name, _) in _CODECS.items():
            if f"{name}_decode" in parser:
                parser[f"{name}_decode"] = _bounded(codec, is_legacy=batch is LegacyRecordBatch)
            elif batch is DefaultRecordBatch:
                raise ImportError(f"aiokafka moved {name}_decode: adapt {__name__}")


def _bounded(codec: int, *, is_legacy: bool) -> Callable[[bytes], bytes]:
    def unpacked(payload: bytes) -> bytes:
        records = decompress(codec, bytes(payload))
        if not is_legacy and is_suspect(records, 0, in_force()):
            raise SuspectRecords
        return records

    return unpacked


def _too_large(most_bytes: int) -> CannotDecompress:
    return CannotDecompress(f"unpacks to more than {setting('batch_unpacked_bytes')}={most_bytes:,} bytes")


def _gzip(payload: bytes, most_bytes: int) -> bytes:
    """All members. Bytes behind the last one are ignored, as by Java's GZIPInputStream and therefore by brokers."""
    unpacked = bytearray()
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        unpacked += member.decompress(payload, most_bytes + 1 - len(unpacked))
        if len(unpacked) > most_bytes:
            raise _too_large(most_bytes)
        if not member.eof:
            raise CannotDecompress("ends within its gzip data")
        payload = member.unused_data
        if not payload.startswith(_GZIP_MAGIC):
            return bytes(unpacked)
    raise CannotDecompress(f"has more than {_MOST_MEMBERS} members of gzip data")


def _snappy(payload: bytes, most_bytes: int) -> bytes:
    if not payload.startswith(_XERIAL):
        return _snappy_block(payload, most_bytes)
    unpacked, at = bytearray(), _XERIAL_BYTES
    while at < len(payload):
        length = int.from_bytes(payload[at : at + 4], "big")
        block = payload[at + 4 : at + 4 + length]
        if not length or len(block) < length:
            raise CannotDecompress("ends within a snappy block")
        unpacked += _snappy_block(block, most_bytes, len(unpacked))
        at += 4 + length
    return bytes(unpacked)


def _snappy_block(block: bytes, most_bytes: int, before: int = 0) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > most_bytes - before:
        raise _too_large(most_bytes)
    return bytes(cramjam.snappy.decompress_raw(block))


def _into(declares: Callable[[bytes], int], unpack: Callable[[bytes, memoryview], int]) -> Unpack:
    """Unpack into a buffer that the codec cannot grow: one of the usual size, which is reused since a new one costs more than the
    unpacking, or of the declared size. Where less is declared than there is, or nothing, larger ones are tried.
    """

    def bounded(payload: bytes, most_bytes: int) -> bytes:
        declared = declares(payload)
        if declared > most_bytes:
            raise _too_large(most_bytes)
        # Memory of a new buffer is taken only as far as it is written.
        buffer = memoryview(_buffer() if declared <= _USUAL_BYTES else bytearray(declared))[:most_bytes]
        while True:
            try:
                size = unpack(payload, buffer)
            except cramjam.DecompressionError as error:
                if _FULL not in str(error):
                    raise
                if len(buffer) == most_bytes:
                    raise _too_large(most_bytes) from None
                buffer = memoryview(bytearray(min(4 * len(buffer), most_bytes)))
            else:
                return bytes(buffer[:size])

    return bounded


def _buffer() -> bytearray:
    """Of this thread."""
    if not hasattr(_threads, "buffer"):
        _threads.buffer = bytearray(_USUAL_BYTES)
    buffer: bytearray = _threads.buffer
    return buffer


_threads = threading.local()
_CODECS: dict[int, tuple[str, Unpack]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _into(lz4_declares, cramjam.lz4.decompress_into)),
    4: ("zstd", _into(zstd_declares, cramjam.zstd.decompress_into)),
}
"""By the number in the attributes of a batch."""
