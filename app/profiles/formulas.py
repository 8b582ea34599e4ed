"""The compiled last step of each feature: from whole numbers to a double, rounded once before each division.

With n, s, q the count, sum and sum of squares of a window: mean = s / n, std = sqrt(n*q - s*s) / n. The event itself is added
here where the window includes it: aggregates are those of the other events. A number with decimals is divided by its scale at
the end.
"""

from math import nan, sqrt
from typing import NamedTuple

import numpy as np

from app.features.compiled import borrowing
from app.features.exact import add, spread, square
from app.profiles.aggregates import CLOCK_UNIT, COSINES, DAY_MS, MINUTE_MS, NONE, SINES

COUNT, SUM, MEAN, STD, MIN, MAX, DISTINCT, SHARE, RATIO, ZSCORE = range(10)
MAX_RATIO, SINCE, IS_NEW, TIME_SIMILARITY, PREVIOUS = range(10, 15)


class Terms(NamedTuple):
    """The numbers of one feature of one event."""

    first: int
    """The results of the aggregate in the feature's window, in the order of its slots."""
    second: int
    third: int
    fourth: int
    own: int
    """1 where the event itself belongs to the window."""
    value: int
    """The event's own value of the field."""
    scale: int
    """10**decimals of the field: the values are whole numbers of 1 / scale."""
    all_first: int
    """SHARE: the events with and without the filter."""
    all_own: int
    time_ms: int


@borrowing
def formula(kind: int, terms: Terms) -> float:  # noqa: C901, PLR0911  # one case for each formula
    """The value of a feature, NaN where it has none."""
    first, own, value = terms.first, terms.own, terms.value
    if kind == COUNT:
        return np.float64(first + own)
    if kind == SUM:
        return (terms.second + own * value) / terms.scale
    if kind == MEAN:
        return (terms.second + own * value) / ((first + own) * terms.scale)
    if kind == STD:
        return _std(terms)
    if kind in (MIN, MAX):
        return _extreme(kind, first, own, value) / terms.scale
    if kind == DISTINCT:
        return np.float64(first)
    if kind == SHARE:
        return (first + own) / (terms.all_first + terms.all_own)
    if kind == RATIO:
        return first * value / terms.second if terms.second else nan
    if kind == ZSCORE:
        return _zscore(terms)
    if kind == MAX_RATIO:
        return value / first if first != NONE and first else nan
    if kind == SINCE:
        return nan if first == NONE else (terms.time_ms - first) / 1000
    if kind == IS_NEW:
        return 0.0 if first else 1.0
    return _time_similarity(terms)


@borrowing
def _std(terms: Terms) -> float:
    added = terms.own * terms.value
    n, s = terms.first + terms.own, terms.second + added
    high, low = square(abs(added))
    high, low = add(np.uint64(terms.third), np.uint64(terms.fourth), high, low)
    return sqrt(spread(n, abs(s), high, low)) / (n * terms.scale)


@borrowing
def _extreme(kind: int, found: int, own: int, value: int) -> float:
    if found == NONE:
        return np.float64(value) if own else nan
    if own:
        return np.float64(min(found, value) if kind == MIN else max(found, value))
    return np.float64(found)


@borrowing
def _zscore(terms: Terms) -> float:
    n, s = terms.first, terms.second
    varies = spread(n, abs(s), np.uint64(terms.third), np.uint64(terms.fourth))
    return _difference(n * terms.value, s) / sqrt(varies) if varies else nan


@borrowing
def _difference(left: int, right: int) -> float:
    """``left - right``, rounded once: with different signs it needs 64 bits and a sign."""
    if (left < 0) == (right < 0):
        return np.float64(left - right)
    apart = np.float64(np.uint64(abs(left)) + np.uint64(abs(right)))
    return -apart if left < 0 else apart


@borrowing
def _time_similarity(terms: Terms) -> float:
    """The mean cosine of the angles between the event's time of day and those of the others."""
    minute = terms.time_ms % DAY_MS // MINUTE_MS
    total = COSINES[minute] * terms.second + SINES[minute] * terms.third
    if not terms.first:
        return nan
    # The hands are rounded, so that their product can be a millionth longer than 1.
    return float(min(1.0, max(-1.0, total / (terms.first * CLOCK_UNIT * CLOCK_UNIT))))
