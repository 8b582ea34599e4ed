"""The compiled aggregates over the nested windows of one event.

All windows end at the event, so a wider window continues from the result of the narrower one, and an aggregate over any
number of windows passes the widest one once, segment by segment. ``edges`` has the index behind the last event of every
window, then the index of the first event of each, from the narrowest to the widest. ``out[i, w]`` receives result i of
window w. An event belongs to an aggregate if its flags contain ``need``.

The loops are over slices, without early exits: the compiler makes vector instructions of them.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import borrowing
from app.features.exact import add

Integers = NDArray[np.int64]

COUNT, SUM, SQUARES, SMALLEST, LARGEST, NEWEST, OLDEST, DISTINCT, CLOCK = range(9)
SLOTS = (1, 2, 4, 1, 1, 1, 1, 1, 3)
"""Results of each: SQUARES gives count, sum, and the sum of squares in two words; CLOCK count, cosines, sines."""

NONE = -(2**63)
"""SMALLEST, LARGEST, NEWEST, OLDEST of no events."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000
CLOCK_UNIT = 2**20
"""The length of the hand in CLOCK: 8193 sums times one more stay exact in a double."""
_ANGLES = [math.tau * minute / 1440 for minute in range(1440)]
COSINES = np.array([round(math.cos(angle) * CLOCK_UNIT) for angle in _ANGLES])
SINES = np.array([round(math.sin(angle) * CLOCK_UNIT) for angle in _ANGLES])
"""By minute of the day. Whole numbers, so that their sums do not depend on the order."""

_SMALL_BITS = 25
_SMALL = 2**_SMALL_BITS
"""The sum of 8192 squares of magnitudes below it has 64 bits."""
_ZERO = np.uint64(0)


class Table(NamedTuple):
    """A hash table that is cleared by counting up its generation."""

    keys: Integers
    generations: Integers
    generation: Integers
    """Shape (1,)."""


@borrowing
def count(flags: Integers, need: int) -> int:
    """The number of events."""
    found = 0
    for flag in flags:
        found += int((flag & need) == need)
    return found


@borrowing
def counts(flags: Integers, edges: Integers, need: int, out: Integers) -> None:
    n = 0
    for w in range(len(edges) - 1):
        n += count(flags[edges[w + 1] : edges[w]], need)
        out[0, w] = n


@borrowing
def sums(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    n, s = np.int64(0), np.int64(0)
    for w in range(len(edges) - 1):
        part, taken = flags[edges[w + 1] : edges[w]], values[edges[w + 1] : edges[w]]
        for i in range(len(part)):
            inside = (part[i] & need) == need
            n += inside
            s += taken[i] if inside else 0
        out[0, w], out[1, w] = n, s


@borrowing
def squares(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    n, s = np.int64(0), np.int64(0)
    high, low = _ZERO, _ZERO
    for w in range(len(edges) - 1):
        part, taken = flags[edges[w + 1] : edges[w]], values[edges[w + 1] : edges[w]]
        q, bits = np.int64(0), 0
        for i in range(len(part)):
            inside = (part[i] & need) == need
            value = taken[i] if inside else 0
            n += inside
            s += value
            bits |= value ^ (value >> 63)
            short = np.int64(np.int32(value))
            q += short * short
        if bits < _SMALL:
            more_high, more_low = _ZERO, np.uint64(q)
        else:
            more_high, more_low = _large_squares(part, taken, need)
        high, low = add(high, low, more_high, more_low)
        out[0, w], out[1, w], out[2, w], out[3, w] = n, s, np.int64(high), np.int64(low)


@borrowing
def _large_squares(flags: Integers, values: Integers, need: int) -> tuple[np.uint64, np.uint64]:
    """The sum of squares below 2**50 each, in three sums of 64 bits: (h * 2**25 + l)**2 = h*h * 2**50 + h*l * 2**26 + l*l."""
    ends, middle, lows = 0, 0, 0
    for i in range(len(flags)):
        value = abs(values[i]) if (flags[i] & need) == need else 0
        high, low = value >> _SMALL_BITS, value & (_SMALL - 1)
        ends += high * high
        middle += high * low
        lows += low * low
    whole = _shifted(np.uint64(ends), np.uint64(2 * _SMALL_BITS))
    part = _shifted(np.uint64(middle), np.uint64(_SMALL_BITS + 1))
    found_high, found_low = add(whole[0], whole[1], part[0], part[1])
    return add(found_high, found_low, _ZERO, np.uint64(lows))


@borrowing
def _shifted(number: np.uint64, bits: np.uint64) -> tuple[np.uint64, np.uint64]:
    """A number times ``2**bits``, in two words."""
    return number >> (np.uint64(64) - bits), number << bits


@borrowing
def smallest(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    best = 2**63 - 1
    for w in range(len(edges) - 1):
        part, taken = flags[edges[w + 1] : edges[w]], values[edges[w + 1] : edges[w]]
        for i in range(len(part)):
            value = taken[i] if (part[i] & need) == need else 2**63 - 1
            best = min(best, value)
        out[0, w] = NONE if best == 2**63 - 1 else best


@borrowing
def largest(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    best = NONE
    for w in range(len(edges) - 1):
        part, taken = flags[edges[w + 1] : edges[w]], values[edges[w + 1] : edges[w]]
        for i in range(len(part)):
            value = taken[i] if (part[i] & need) == need else NONE
            best = max(best, value)
        out[0, w] = best


@borrowing
def newest(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    """The time of the newest event; ``values`` are times."""
    found = NONE
    for w in range(len(edges) - 1):
        i = edges[w]
        while found == NONE and i > edges[w + 1]:
            i -= 1
            if (flags[i] & need) == need:
                found = values[i]
        out[0, w] = found


@borrowing
def oldest(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    """The time of the oldest event; ``values`` are times."""
    found = NONE
    for w in range(len(edges) - 1):
        for i in range(edges[w + 1], edges[w]):
            if (flags[i] & need) == need:
                found = values[i]
                break
        out[0, w] = found


@borrowing
def distinct(  # noqa: PLR0913, PLR0917  # a tuple of arrays costs more than arguments
    flags: Integers, values: Integers, edges: Integers, need: int, table: Table, own: int, out: Integers
) -> None:
    """The number of different values; ``own`` is one of them unless it is NONE."""
    found = 0
    table.generation[0] += 1
    if own != NONE:
        found += _enter(table, own)
    for w in range(len(edges) - 1):
        for i in range(edges[w + 1], edges[w]):
            if (flags[i] & need) == need:
                found += _enter(table, values[i])
        out[0, w] = found


@borrowing
def _enter(table: Table, value: int) -> int:
    """Enter a value; return 1 if it is new, else 0. The table has more places than values, and their number is a power of two."""
    last = len(table.keys) - 1
    mixed = np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)
    at = np.int64(mixed >> np.uint64(32)) & last
    generation = table.generation[0]
    while table.generations[at] == generation:
        if table.keys[at] == value:
            return 0
        at = (at + 1) & last
    table.generations[at], table.keys[at] = generation, value
    return 1


@borrowing
def clock(flags: Integers, values: Integers, edges: Integers, need: int, out: Integers) -> None:
    """Count, and the sums of the hands of a clock of 24 hours; ``values`` are times."""
    n, cosines, sines = 0, 0, 0
    for w in range(len(edges) - 1):
        for i in range(edges[w + 1], edges[w]):
            if (flags[i] & need) == need:
                minute = values[i] % DAY_MS // MINUTE_MS
                n += 1
                cosines += COSINES[minute]
                sines += SINES[minute]
        out[0, w], out[1, w], out[2, w] = n, cosines, sines
