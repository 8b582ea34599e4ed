"""Sums of squares in 128 bits, as two unsigned words: (high, low). Amounts go up to 10**15, their squares beyond 64."""

from math import ldexp

import numpy as np

from app.features.compiled import compiled

Words = tuple[np.uint64, np.uint64]

_LOW_HALF = np.uint64(2**32 - 1)
_HALF = np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@compiled
def square(number: int) -> Words:
    """``number ** 2`` for ``0 <= number < 2**63``."""
    low, high = np.uint64(number) & _LOW_HALF, np.uint64(number) >> _HALF
    ends, middle = low * low, low * high
    sum_low = ends + (middle << np.uint64(33))
    carry = _ONE if sum_low < ends else _ZERO
    return high * high + (middle >> np.uint64(31)) + carry, sum_low


@compiled
def add(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> Words:
    low = a_low + b_low
    return a_high + b_high + (_ONE if low < a_low else _ZERO), low


@compiled
def subtract(a_high: np.uint64, a_low: np.uint64, b_high: np.uint64, b_low: np.uint64) -> Words:
    """For ``a >= b``."""
    return a_high - b_high - (_ONE if a_low < b_low else _ZERO), a_low - b_low


@compiled
def times(count: int, high: np.uint64, low: np.uint64) -> Words:
    """``count * (high, low)`` for ``0 <= count < 2**32``, where it fits 128 bits."""
    factor = np.uint64(count)
    first, second = (low & _LOW_HALF) * factor, (low >> _HALF) * factor
    product = first + (second << _HALF)
    carry = _ONE if product < first else _ZERO
    return high * factor + (second >> _HALF) + carry, product


@compiled
def to_double(high: np.uint64, low: np.uint64) -> float:
    """The nearest double of a number below 2**127, ties to even.

    Its upper 64 bits are converted, which rounds; the bits below them only break a tie.
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
    """``count * squares - total ** 2``, count**2 times the population variance: exact, then rounded once."""
    high, low = times(count, squares_high, squares_low)
    total_high, total_low = square(total)
    return to_double(*subtract(high, low, total_high, total_low))
