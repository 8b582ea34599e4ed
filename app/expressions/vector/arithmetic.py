"""Operations on columns, to the bit as ``app.expressions.scalar.arithmetic`` on one row.

Each function takes arrays and returns an array, with a mask of the results that are present, or None where all are.
Absent rows hold anything; they are computed and masked by the caller.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from app.expressions.bounds import EDGE
from app.expressions.tree import Operation
from app.expressions.zone import DAY_MS, HOUR_MS, Zone

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Data = NDArray[np.float64 | np.int64]
Mask = NDArray[np.bool_]
Computed = tuple[Data, Mask | None]
_BEYOND = np.int64(-(2**63))


def finite(values: Doubles) -> Computed:
    return values, np.isfinite(values)


def nearest(values: Doubles) -> Computed:
    present = (values > -EDGE) & (values < EDGE)
    return np.rint(np.where(present, values, 0.0)).astype(np.int64), present


def divided(left: Data, right: Data) -> Doubles:
    """The quotient of doubles; infinite or not a number where the divisor is zero."""
    return np.asarray(left.astype(np.float64) / right.astype(np.float64))


def added(left: Integers, right: Integers) -> Computed:
    """The sum of integers. It has overflowed where its sign differs from that of both operands."""
    total = left + right
    return total, (((left ^ total) & (right ^ total)) >= 0) & (total != _BEYOND)


def subtracted(left: Integers, right: Integers) -> Computed:
    """The difference of integers. It has overflowed where the signs of the operands differ, and it has that of the second."""
    rest = left - right
    return rest, (((left ^ right) & (left ^ rest)) >= 0) & (rest != _BEYOND)


def chosen(where: Mask, value: Data, other: Data) -> Computed:
    """One of two values, row by row. Not np.minimum: of 0.0 and -0.0 it may return either."""
    return np.asarray(np.where(where, value, other)), None


def local_ms(zone: Zone, times_ms: Integers) -> tuple[Integers, Mask]:
    """Milliseconds on the clocks of the zone, and which times are in its table."""
    index = np.searchsorted(np.array(zone.starts_ms, np.int64), times_ms, side="right") - 1
    offsets = np.array(zone.offsets_ms, np.int64)
    return times_ms + offsets[np.maximum(index, 0)], (index >= 0) & (times_ms < zone.end_ms)


def hour(zone: Zone) -> Callable[[Integers], Computed]:
    def hour_of(times_ms: Integers) -> Computed:
        local, present = local_ms(zone, times_ms)
        return (local // HOUR_MS % 24).astype(np.float64), present

    return hour_of


def weekday(zone: Zone) -> Callable[[Integers], Computed]:
    def weekday_of(times_ms: Integers) -> Computed:
        local, present = local_ms(zone, times_ms)
        return ((local // DAY_MS + 3) % 7 + 1).astype(np.float64), present

    return weekday_of


def scaled(money: Integers, number: Doubles) -> Computed:
    return nearest(money.astype(np.float64) * number)


def operations(zone: Zone) -> Mapping[Operation, Callable[..., Computed]]:
    """The functions of columns by operation; MIN and MAX take two."""
    return {
        Operation.NEGATE: lambda values: (-values, None),
        Operation.ABS: lambda values: (np.abs(values), None),
        Operation.MIN: lambda left, right: chosen(right < left, right, left),
        Operation.MAX: lambda left, right: chosen(right > left, right, left),
        Operation.HOUR: hour(zone),
        Operation.WEEKDAY: weekday(zone),
        Operation.ADD: lambda left, right: finite(left + right),
        Operation.SUBTRACT: lambda left, right: finite(left - right),
        Operation.MULTIPLY: lambda left, right: finite(left * right),
        Operation.DIVIDE: lambda left, right: finite(divided(left, right)),
        Operation.ADD_MONEY: added,
        Operation.SUBTRACT_MONEY: subtracted,
        Operation.SCALE_MONEY: scaled,
        Operation.SHARE_MONEY: lambda money, number: nearest(divided(money, number)),
        Operation.RATIO: lambda left, right: finite(divided(left, right)),
    }
