"""What a mapping can do about a refused value, where the value shows it. No remedy holds the value."""

from app.adapters.column_mapping import TimeUnit

_TICKS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def for_refused_time(time_ms: int, unit: TimeUnit, bounds_ms: tuple[int, int]) -> str:
    """The ``time_unit`` with which a time outside of ``bounds_ms`` would lie within them; else an empty text."""
    if unit not in _TICKS_PER_S:
        return ""
    ticks = time_ms * _TICKS_PER_S[unit]
    for other, per_s in _TICKS_PER_S.items():
        if bounds_ms[0] <= ticks // per_s <= bounds_ms[1]:
            return f'; it is a plausible time in {other}: give a --mapping with time_unit = "{other}"'
    return ""
