"""Compiles numbers, money and times to closures of one row. None where missing."""

from collections.abc import Callable
from functools import reduce
from typing import assert_never

from app.expressions import tree
from app.expressions.bounds import MOST_INTEGER, MOST_NUMBER
from app.expressions.cells import Row
from app.expressions.names import Kind, Names
from app.expressions.scalar.arithmetic import Result, operations
from app.expressions.tree import Column, Quantity

RowQuantity = Callable[[Row], Result]


def quantity(found: Quantity, names: Names) -> RowQuantity:
    """Compile a tree of type number, money or time."""
    match found:
        case Column():
            return _cell(
                names.indexes[found.name], MOST_NUMBER if found.kind is Kind.NUMBER else MOST_INTEGER
            )
        case tree.Number() | tree.Money():
            value = found.value
            return lambda _: value
        case tree.Apply():
            compute = operations(names.zone)[found.operation]
            first, *others = (quantity(operand, names) for operand in found.operands)
            if not others:
                return _unary(compute, first)
            return reduce(lambda left, right: _binary(compute, left, right), others, first)
        case _:
            assert_never(found)


def _cell(index: int, most: float) -> RowQuantity:
    def cell(row: Row) -> Result:
        value = row[index]
        # The comparison is false of a value that is not a number, too.
        return value if value is not None and -most <= value <= most else None  # type: ignore[operator, return-value]  # by its column's type

    return cell


def _unary(compute: Callable[..., Result], operand: RowQuantity) -> RowQuantity:
    def unary(row: Row) -> Result:
        value = operand(row)
        return None if value is None else compute(value)

    return unary


def _binary(compute: Callable[..., Result], left: RowQuantity, right: RowQuantity) -> RowQuantity:
    def binary(row: Row) -> Result:
        first, second = left(row), right(row)
        return None if first is None or second is None else compute(first, second)

    return binary
