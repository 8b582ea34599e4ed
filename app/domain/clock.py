"""The difference of two clocks, of which one is known from an answer."""


def skew_seconds(before: float, after: float, other: float) -> float:
    """Seconds by which this clock is ahead of another one, which showed ``other`` between ``before`` and ``after`` of this one.

    0 if ``other`` lies between the two: the difference cannot be told from the duration of the request then.
    """
    return before - other if other < before else min(0.0, after - other)
