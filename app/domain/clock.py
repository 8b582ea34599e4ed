"""The difference of two clocks, of which one is known from an answer."""


def skew_seconds(before: float, after: float, other: float) -> float:
    """Seconds by which this clock is ahead of another one that was read between ``before`` and ``after`` and showed ``other``.

    0 if ``other`` lies between the two: a difference smaller than the duration of the request cannot be measured.
    """
    return before - other if other < before else min(0.0, after - other)
