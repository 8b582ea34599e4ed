"""The bytes of a profile of any catalog, format version 3, read and written without the service's code.

The layout is written down here a second time, from the documentation of ``app/profiles/layout.py``.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

VERSION = 3
_HEADER = struct.Struct("<IIQqqqqqqdd")
_WIDTHS = {0: (1, ""), 1: (2**8, "B"), 2: (2**16, "H"), 4: (2**32, "I")}


class Stored(NamedTuple):
    """What a profile says; ``rows`` are times, ids, flags and columns of the events."""

    topic_id: int
    applied_offset: int
    applied: int
    layout: int
    first_seen_ms: int
    evicted_ms: int
    place: tuple[int, float, float]
    rows: Sequence[Sequence[int]]


def write(stored: Stored) -> bytes:
    """The bytes of a profile."""
    frames = [_frame(row) for row in stored.rows]
    header = _HEADER.pack(VERSION, len(stored.rows[0]), *stored[:6], *stored.place)
    bases = struct.pack(f"<{len(frames)}q", *(base for base, _, _ in frames))
    widths = _filled(bytes(width for _, width, _ in frames))
    return header + bases + widths + b"".join(content for _, _, content in frames)


def _frame(row: Sequence[int]) -> tuple[int, int, bytes]:
    """Base, width and content of a row."""
    if not row:
        return 0, 0, b""
    base, spread = min(row), max(row) - min(row)
    for width, (above, code) in _WIDTHS.items():
        if spread < above:
            return (
                base,
                width,
                _filled(struct.pack(f"<{len(row)}{code}", *(v - base for v in row)) if code else b""),
            )
    return 0, 8, struct.pack(f"<{len(row)}q", *row)


def _filled(content: bytes) -> bytes:
    """Filled up to whole words."""
    return content + bytes(-len(content) % 8)


def read(data: bytes, rows: int) -> Stored:
    """What a profile with this many rows says."""
    version, events, *fields, latitude, longitude = _HEADER.unpack_from(data)
    assert version == VERSION
    at = _HEADER.size
    bases = struct.unpack_from(f"<{rows}q", data, at)
    at += 8 * rows
    widths = data[at : at + rows]
    at += -(-rows // 8) * 8
    found = []
    for base, width in zip(bases, widths, strict=True):
        code = {0: "", 1: "B", 2: "H", 4: "I", 8: "q"}[width]
        values = struct.unpack_from(f"<{events}{code}", data, at) if code else (0,) * events
        found.append([base + value for value in values])
        at += -(-events * width // 8) * 8
    assert at == len(data)
    topic_id, offset, applied, layout, first_seen_ms, evicted_ms, place_ms = fields
    place = (place_ms, latitude, longitude)
    return Stored(topic_id, offset, applied, layout, first_seen_ms, evicted_ms, place, found)
