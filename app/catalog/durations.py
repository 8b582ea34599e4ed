"""Durations as a catalog writes them: ``10m``, ``1h``, ``7d``."""

import re

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_UNITS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS}
_TEXT = re.compile(r"([1-9][0-9]{0,5})([dhm])")


def parse(text: str) -> int | None:
    """The duration in milliseconds; None for any other text.

    >>> parse("10m"), parse("36h"), parse("7d"), parse("0m"), parse("1w"), parse("1.5h"), parse("7 d")
    (600000, 129600000, 604800000, None, None, None, None)
    """
    found = _TEXT.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2]]


def text(milliseconds: int) -> str:
    """The duration in the largest unit of which it is a whole number.

    >>> text(600_000), text(36 * 3_600_000), text(7 * 86_400_000)
    ('10m', '36h', '7d')
    """
    unit = next((unit for unit, size in _UNITS.items() if milliseconds % size == 0), None)
    return f"{milliseconds} ms" if unit is None else f"{milliseconds // _UNITS[unit]}{unit}"
