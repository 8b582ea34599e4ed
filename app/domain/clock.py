"""Times as text, and the difference of two clocks, of which one is known from an answer."""

from datetime import UTC, datetime


def utc_text(milliseconds: int, pattern: str) -> str:
    """Milliseconds since the epoch as UTC in the pattern of ``strftime``. A record may hold any number: one beyond the year
    9999 is returned as a number.

    >>> utc_text(1_735_689_600_000, "%Y-%m-%d"), utc_text(2**62, "%Y-%m-%d")
    ('2025-01-01', '4611686018427387904 ms')
    """
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(pattern)
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds} ms"


def skew_seconds(before: float, after: float, other: float) -> float:
    """Seconds by which this clock is ahead of another one that was read between ``before`` and ``after`` and showed ``other``.

    0 if ``other`` lies between the two: a difference smaller than the duration of the request cannot be measured.
    """
    return before - other if other < before else min(0.0, after - other)
