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
            return (_number if found.kind is Kind.NUMBER else _integer)(names.indexes[found.name])
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


def _number(index: int) -> RowQuantity:
    def number(row: Row) -> Result:
        value = row[index]
        # The comparison is false of a value that is not a number, too.
        return value if type(value) is float and -MOST_NUMBER <= value <= MOST_NUMBER else None

    return number


def _integer(index: int) -> RowQuantity:
    def integer(row: Row) -> Result:
        value = row[index]
        return value if type(value) is int and -MOST_INTEGER <= value <= MOST_INTEGER else None

    return integer


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
