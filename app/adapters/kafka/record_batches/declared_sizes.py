"""What compressed data says of its own size, read before anything is unpacked.

A statement may be wrong: a large one is refused before memory is taken for it, a small one ends at the bound of the buffer.
"""

_ZSTD_MAGIC, _LZ4_MAGIC = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"
_SINGLE_SEGMENT = 0x20
_DICTIONARY_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_LZ4_HAS_SIZE = 0x08


def zstd_declares(payload: bytes) -> int:
    """The larger one of content and window of the first frame, in bytes; 0 where it states none. RFC 8878, 3.1.1.1.

    The window takes memory as well: even a frame with little content may require one of 128 MiB.
    """
    if payload[:4] != _ZSTD_MAGIC or len(payload) < 6:
        return 0
    descriptor = payload[4]
    at, window, single = 5, 0, bool(descriptor & _SINGLE_SEGMENT)
    if not single:
        base = 1 << (10 + (payload[5] >> 3))
        at, window = 6, base + (base >> 3) * (payload[5] & 7)
    at += _DICTIONARY_BYTES[descriptor & 3]
    width = _SIZE_BYTES[descriptor >> 6] or int(single)
    size = int.from_bytes(payload[at : at + width], "little") + (256 if width == 2 else 0)
    return max(size, window)


def lz4_declares(payload: bytes) -> int:
    """The content of the first frame, in bytes; 0 where it states none."""
    if payload[:4] != _LZ4_MAGIC or len(payload) < 14 or not payload[4] & _LZ4_HAS_SIZE:
        return 0
    return int.from_bytes(payload[6:14], "little")
