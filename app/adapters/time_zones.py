"""Time zones of the machine's database as tables, which the pure core computes with."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from app.errors import ConfigurationError
from app.expressions.names import suggestion
from app.expressions.zone import DAY_MS, END_MS, Zone


@lru_cache(maxsize=16)
def load_zone(name: str) -> Zone:
    """Return a zone by its IANA name. Raises ConfigurationError for a name that the database does not have.

    The offset of each day is compared with that of the day before, and the moment of a change is bisected: two changes
    within a day that cancel each other out would not be found; none is known since 1970.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = suggestion(name, available_timezones())
        raise ConfigurationError(f"'{name}' is no time zone of this machine{near}") from error
    starts, offsets = [0], [_offset_ms(zone, 0)]
    for end in range(DAY_MS, END_MS, DAY_MS):
        if _offset_ms(zone, end) != offsets[-1]:
            starts.append(_change(zone, end - DAY_MS, end))
            offsets.append(_offset_ms(zone, end))
    return Zone(name, tuple(starts), tuple(offsets))


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first millisecond with the offset of ``after``."""
    old = _offset_ms(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset_ms(zone, middle) == old else (before, middle)
    return after


def _offset_ms(zone: ZoneInfo, time_ms: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)
