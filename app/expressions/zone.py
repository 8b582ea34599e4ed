"""Time zones as tables of offsets, and the hour and weekday of a time in one.

A table is data like a rate: the same times give the same hours on every machine that has the same table.
"""

from bisect import bisect_right

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
END_MS = 4_102_444_800_000
"""2100-01-01: zones are tables of the times from 1970 up to here."""


class Zone(msgspec.Struct, frozen=True):
    """Offsets from UTC: ``offsets_ms[i]`` holds from ``starts_ms[i]`` on. A time before the first start or from the end on
    has no hour.
    """

    name: str
    starts_ms: tuple[int, ...]
    offsets_ms: tuple[int, ...]
    end_ms: int = END_MS

    def __post_init__(self) -> None:
        if len(self.starts_ms) != len(self.offsets_ms) or list(self.starts_ms) != sorted(set(self.starts_ms)):
            raise ValueError("a zone has one offset for each start, and rising starts")

    def local_ms(self, time_ms: int) -> int | None:
        """Milliseconds since 1970-01-01 00:00 on the clocks of the zone; None outside the table."""
        index = bisect_right(self.starts_ms, time_ms) - 1
        return None if index < 0 or time_ms >= self.end_ms else time_ms + self.offsets_ms[index]


UTC = Zone("UTC", (0,), (0,))
