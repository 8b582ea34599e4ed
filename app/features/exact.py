"""Exact sums of squares in 128 bits, as two unsigned words (high, low): amounts reach 10**15, and their squares 10**30.

Exact integers make a sliding sum equal to a recount: adding and removing doubles would accumulate rounding errors.
"""

from math import ldexp

import numpy as np

from app.features.compiled import compiled

Words = tuple[np.uint64, np.uint64]

_LOW_HALF = np.uint64(2**32 - 1)
_HALF = np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@compiled
def square(number: int) -> Words:
    """Return ``number ** 2`` for ``0 <= number < 2**63``."""
    # (high * 2**32 + low)**2 = high**2 * 2**64 + high * low * 2**33 + low**2; no product of halves exceeds 64 bits.
    low, high = np.uint64(number) & _LOW_HALF, np.uint64(number) >> _HALF
    ends, middle = low * low, low * high
    sum_low = ends + (middle << np.uint64(33))
    carry = _ONE if sum_low < ends else _ZERO
    return high * high + (middle >> np.uint64(31)) + carry, sum_low


@compiled
def add(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> Words:
    """Return ``a + b`` modulo 2**128."""
    low = a_low + b_low
    return a_high + b_high + (_ONE if low < a_low else _ZERO), low


@compiled
def subtract(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> Words:
    """Return ``a - b`` for ``a >= b``."""
    return a_high - b_high - (_ONE if a_low < b_low else _ZERO), a_low - b_low


@compiled
def times(count: int, high: np.uint64, low: np.uint64) -> Words:
    """Return ``count * (high, low)`` for ``0 <= count < 2**32`` and a product below 2**128."""
    factor = np.uint64(count)
    first, second = (low & _LOW_HALF) * factor, (low >> _HALF) * factor
    product = first + (second << _HALF)
    carry = _ONE if product < first else _ZERO
    return high * factor + (second >> _HALF) + carry, product


@compiled
def to_double(high: np.uint64, low: np.uint64) -> float:
    """Return the double nearest to a number below 2**127, ties to even.

    The upper 64 significant bits are converted, which rounds. The bits below them only matter for a tie, so they are
    replaced by one bit that is set if any of them is (a sticky bit).
    """
    if high == _ZERO:
        return np.float64(low)
    bits = 0
    while bits < 63 and high >> np.uint64(bits):
        bits += 1
    down, up = np.uint64(bits), np.uint64(64 - bits)
    top = high << up | low >> down
    if low << up:
        top |= _ONE
    return ldexp(np.float64(top), bits)


@compiled
def spread(count: int, total: int, squares_high: np.uint64, squares_low: np.uint64) -> float:
    """Return ``count * squares - total ** 2``, which is count**2 times the population variance; exact, then rounded once."""
    high, low = times(count, squares_high, squares_low)
    total_high, total_low = square(total)
    return to_double(*subtract(high, low, total_high, total_low))
