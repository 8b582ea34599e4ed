"""Operations on present values of one row. ``app.expressions.vector.arithmetic`` computes the same on columns, to the bit.

A number is a finite double. Money and times are integers of at most 63 bits. A result outside of that, or without a
meaning, is None: it is missing, never infinite, wrapped or rounded to a bound.
"""

from collections.abc import Callable, Mapping

from app.expressions.bounds import EDGE, MOST_INTEGER, MOST_NUMBER
from app.expressions.tree import Operation
from app.expressions.zone import DAY_MS, HOUR_MS, Zone

Scalar = float | int
Result = float | int | None


def finite(value: float) -> float | None:
    """The value; None where it is infinite or not a number."""
    return value if -MOST_NUMBER <= value <= MOST_NUMBER else None


def in_range(value: int) -> int | None:
    return value if -MOST_INTEGER <= value <= MOST_INTEGER else None


def nearest(value: float) -> int | None:
    """The nearest integer, the even one of two; None beyond 63 bits."""
    return round(value) if -EDGE < value < EDGE else None


def smaller(left: Scalar, right: Scalar) -> Scalar:
    return min(left, right)


def larger(left: Scalar, right: Scalar) -> Scalar:
    return max(left, right)


def hour(zone: Zone) -> Callable[[int], float | None]:
    def hour_of(time_ms: int) -> float | None:
        local = zone.local_ms(time_ms)
        return None if local is None else float(local // HOUR_MS % 24)

    return hour_of


def weekday(zone: Zone) -> Callable[[int], float | None]:
    def weekday_of(time_ms: int) -> float | None:
        local = zone.local_ms(time_ms)
        # 1970-01-01 was a Thursday, the fourth day of the week.
        return None if local is None else float((local // DAY_MS + 3) % 7 + 1)

    return weekday_of


def operations(zone: Zone) -> Mapping[Operation, Callable[..., Result]]:
    """The functions of present operands by operation; MIN and MAX take two."""
    return {
        Operation.NEGATE: lambda value: -value,
        Operation.ABS: abs,
        Operation.MIN: smaller,
        Operation.MAX: larger,
        Operation.HOUR: hour(zone),
        Operation.WEEKDAY: weekday(zone),
        Operation.ADD: lambda left, right: finite(left + right),
        Operation.SUBTRACT: lambda left, right: finite(left - right),
        Operation.MULTIPLY: lambda left, right: finite(left * right),
        Operation.DIVIDE: lambda left, right: finite(left / right) if right else None,
        Operation.ADD_MONEY: lambda left, right: in_range(left + right),
        Operation.SUBTRACT_MONEY: lambda left, right: in_range(left - right),
        Operation.SCALE_MONEY: lambda money, number: nearest(float(money) * number),
        Operation.SHARE_MONEY: lambda money, number: nearest(float(money) / number) if number else None,
        Operation.RATIO: lambda left, right: float(left) / float(right) if right else None,
    }
