"""The bytes of a profile, as they stand in RocksDB and in the changelog. Little-endian, versioned.

::

    header    version u8, time code u8, amount code u8, windows u8,
              incarnation u64, applied offset i64, applied u64, first seen i64,
              place: known u8, time i64, latitude f64, longitude f64,
              base i64, evicted i64, events u32
    windows   each: start u32, total i64, squares u128 (two u64)
    columns   times (u32 or i64 relative to base), amounts (u32 or i64), terminal digests, transaction digests

The incarnation and the applied offset stand at a fixed place, so that two versions of one profile can be
ordered without decoding them.
"""

import struct
import sys
from array import array

from app.errors import StateCorrupt
from app.features.profile import Place, Profile
from app.features.window import DIGEST_BYTES, NARROW, WIDE, WIDTHS_MS, Bounds, WindowLog

VERSION = 1

_HEADER = struct.Struct("<BccBQqQqBqddqqI")
_WINDOW = struct.Struct("<IqQQ")
_LINEAGE = struct.Struct("<Qq")
_LINEAGE_AT = 4
_LOW_64 = 2**64 - 1
_NOWHERE = Place(0, 0.0, 0.0)

if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("profiles are stored as little-endian columns; this machine is big-endian")


def encode(profile: Profile) -> bytes:
    """The profile's bytes; equal profiles give equal bytes."""
    log, place = profile.log, profile.place
    head = log.head
    header = _HEADER.pack(
        VERSION, log.times.typecode.encode(), log.amounts.typecode.encode(), len(WIDTHS_MS),
        profile.incarnation, profile.applied_offset, profile.applied, profile.first_seen_ms,
        place is not None, *(place or _NOWHERE),
        log.base_ms, log.evicted_ms, len(log),
    )  # fmt: skip
    windows = [
        _WINDOW.pack(start - head, total, squares & _LOW_64, squares >> 64)
        for start, total, squares in zip(log.starts, log.totals, log.squares, strict=True)
    ]
    digests_at = DIGEST_BYTES * head
    return b"".join(
        (
            header,
            *windows,
            log.times[head:],
            log.amounts[head:],
            log.terminals[digests_at:],
            log.ids[digests_at:],
        )
    )


def decode(data: bytes, bounds: Bounds) -> Profile:
    """The profile of ``data``. Raises StateCorrupt when the bytes are not one of this version."""
    try:
        return _decode(data, bounds)
    except (struct.error, ValueError) as error:
        raise StateCorrupt(f"{len(data)} bytes are no profile of version {VERSION}: {error}") from error


def lineage(data: bytes) -> tuple[int, int]:
    """Incarnation of the source topic and last applied offset of encoded bytes."""
    return _LINEAGE.unpack_from(data, _LINEAGE_AT)


def _decode(data: bytes, bounds: Bounds) -> Profile:
    (version, time_code, amount_code, windows, incarnation, applied_offset, applied, first_seen_ms,
     placed, place_ms, latitude, longitude, base_ms, evicted_ms, events) = _HEADER.unpack_from(data)  # fmt: skip
    if version != VERSION or windows != len(WIDTHS_MS):
        raise ValueError(f"found version {version} with {windows} windows")
    profile = Profile(bounds)
    profile.incarnation, profile.applied_offset, profile.applied = incarnation, applied_offset, applied
    profile.first_seen_ms = first_seen_ms
    profile.place = Place(place_ms, latitude, longitude) if placed else None
    profile.log.base_ms, profile.log.evicted_ms = base_ms, evicted_ms
    _decode_windows(data, profile.log)
    _decode_columns(data, profile.log, time_code.decode(), amount_code.decode(), events)
    return profile


def _decode_windows(data: bytes, log: WindowLog) -> None:
    at = _HEADER.size
    for i in range(len(WIDTHS_MS)):
        log.starts[i], log.totals[i], low, high = _WINDOW.unpack_from(data, at)
        log.squares[i] = high << 64 | low
        at += _WINDOW.size


def _decode_columns(data: bytes, log: WindowLog, time_code: str, amount_code: str, events: int) -> None:
    if {time_code, amount_code} - {NARROW, WIDE}:
        raise ValueError("unknown column type")
    log.times, log.amounts = array(time_code), array(amount_code)
    at = _HEADER.size + len(WIDTHS_MS) * _WINDOW.size
    ends = [
        at := at + events * size
        for size in (log.times.itemsize, log.amounts.itemsize, DIGEST_BYTES, DIGEST_BYTES)
    ]
    if ends[-1] != len(data):
        raise ValueError(f"{events} events need {ends[-1]} bytes")
    start = _HEADER.size + len(WIDTHS_MS) * _WINDOW.size
    log.times.frombytes(data[start : ends[0]])
    log.amounts.frombytes(data[ends[0] : ends[1]])
    log.terminals = bytearray(data[ends[1] : ends[2]])
    log.ids = bytearray(data[ends[2] : ends[3]])
