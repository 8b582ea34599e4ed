"""The bytes of a profile, format version 2, read and written without the service's code.

The layout is written down here a second time, from the documentation of ``app/features/state.py``.
"""

import struct
from typing import NamedTuple

VERSION = 2
WINDOWS = 4
NEVER_MS = -(2**63)
_HEADER = struct.Struct(f"<BBHIQqqqqqqdd{WINDOWS}I{WINDOWS}q{WINDOWS}Q{WINDOWS}Q")
HEADER_BYTES = _HEADER.size
_LOW_64, _LOW_32 = 2**64 - 1, 2**32 - 1


class Kept(NamedTuple):
    """One transaction that a profile keeps."""

    time_ms: int
    amount: int
    terminal: int
    id: int


class StoredProfile(NamedTuple):
    """What a stored profile says."""

    wide: bool
    topic_id: int
    applied_offset: int
    applied: int
    first_seen_ms: int
    evicted_ms: int
    base_ms: int
    place: tuple[int, float, float]
    """When and where the customer was last seen: time, latitude and longitude."""
    starts: tuple[int, ...]
    newest_sums: tuple[int, ...]
    """Sum of amounts per window, shortest first, as of the customer's newest event."""
    squares: tuple[int, ...]
    kept: tuple[Kept, ...]

    @property
    def events(self) -> int:
        return len(self.kept)


def read_profile(value: bytes) -> StoredProfile:
    """Everything that a profile's bytes say."""
    version, wide, unused, events, *known = _HEADER.unpack_from(value)
    assert (version, unused) == (VERSION, 0)
    assert wide in {0, 1}
    base_ms, sums = known[5], known[9:]
    starts, totals, high, low = (tuple(sums[at : at + WINDOWS]) for at in range(0, 4 * WINDOWS, WINDOWS))
    columns = [
        struct.unpack_from(f"<{events}q", value, HEADER_BYTES + 8 * events * number)
        for number in range(4 if wide else 3)
    ]
    assert len(value) == HEADER_BYTES + 8 * events * len(columns)
    if not wide:
        packed = [word & _LOW_64 for word in columns[0]]
        columns[:1] = [tuple(base_ms + (word >> 32) for word in packed), tuple(w & _LOW_32 for w in packed)]
    squares = tuple(h << 64 | w for h, w in zip(high, low, strict=True))
    kept = tuple(map(Kept, *columns))
    place = tuple(known[6:9])
    return StoredProfile._make((bool(wide), *known[:6], place, starts, totals, squares, kept))


def write_profile(profile: StoredProfile) -> bytes:
    """The bytes that say it."""
    header = _HEADER.pack(
        VERSION,
        profile.wide,
        0,
        profile.events,
        *profile[1:7],
        *profile.place,
        *profile.starts,
        *profile.newest_sums,
        *(number >> 64 for number in profile.squares),
        *(number & _LOW_64 for number in profile.squares),
    )
    times, amounts, terminals, ids = zip(*profile.kept, strict=True) if profile.kept else ((), (), (), ())
    if profile.wide:
        moments = struct.pack(f"<{2 * profile.events}q", *times, *amounts)
    else:
        packed = [(t - profile.base_ms) << 32 | a for t, a in zip(times, amounts, strict=True)]
        moments = struct.pack(f"<{profile.events}Q", *packed)
    return header + moments + struct.pack(f"<{2 * profile.events}q", *terminals, *ids)
