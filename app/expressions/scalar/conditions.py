"""Compiles conditions to closures of one row: True, False, or None where missing.

What is decided for an expression is decided here, once; only the inner functions run for each row.
"""

import operator
from collections.abc import Callable, Mapping
from typing import assert_never

from app.expressions import kinds, tree
from app.expressions.cells import Lists, Row
from app.expressions.names import Names
from app.expressions.scalar.quantities import RowQuantity, quantity
from app.expressions.tree import Column, Condition, Relation

RowCondition = Callable[[Row, Lists], bool | None]

_RELATIONS: Mapping[Relation, Callable[[float, float], bool]] = {
    Relation.EQUAL: operator.eq,
    Relation.LESS: operator.lt,
    Relation.LESS_EQUAL: operator.le,
    Relation.GREATER: operator.gt,
    Relation.GREATER_EQUAL: operator.ge,
}


def condition(found: Condition, names: Names) -> RowCondition:  # noqa: C901, PLR0911  # one case for each kind of node
    """Compile a tree of type boolean."""
    match found:
        case Column():
            return _truth(names.indexes[found.name])
        case tree.Compare():
            return _compared(found, names)
        case tree.OneOf():
            return _member(quantity(found.operand, names), frozenset(each.value for each in found.values))
        case tree.TextOneOf():
            return _text(found.column, names, frozenset(found.values).__contains__)
        case tree.StartsWith():
            prefix = found.prefix
            return _text(found.column, names, lambda text: text.startswith(prefix))
        case tree.SameText():
            return _same(names.indexes[found.left.name], names.indexes[found.right.name])
        case tree.InList():
            return _listed(names.indexes[found.column.name], found.list_name)
        case tree.IsMissing():
            return _missing(found.operand, names)
        case tree.Not():
            return _not(condition(found.operand, names))
        case tree.And():
            return _chain([condition(operand, names) for operand in found.operands], decisive=False)
        case tree.Or():
            return _chain([condition(operand, names) for operand in found.operands], decisive=True)
        case _:
            assert_never(found)


def _truth(index: int) -> RowCondition:
    def truth(row: Row, _: Lists) -> bool | None:
        value = row[index]
        return value if isinstance(value, bool) else None

    return truth


def _compared(found: tree.Compare, names: Names) -> RowCondition:
    holds = _RELATIONS[found.relation]
    left, right = quantity(found.left, names), quantity(found.right, names)

    def compared(row: Row, _: Lists) -> bool | None:
        first, second = left(row), right(row)
        return None if first is None or second is None else holds(first, second)

    return compared


def _member(operand: RowQuantity, values: frozenset[float]) -> RowCondition:
    def member(row: Row, _: Lists) -> bool | None:
        value = operand(row)
        return None if value is None else value in values

    return member


def _text(column: Column, names: Names, holds: Callable[[str], bool]) -> RowCondition:
    index = names.indexes[column.name]

    def text(row: Row, _: Lists) -> bool | None:
        value = row[index]
        return holds(value) if isinstance(value, str) else None

    return text


def _same(left: int, right: int) -> RowCondition:
    def same(row: Row, _: Lists) -> bool | None:
        first, second = row[left], row[right]
        return first == second if isinstance(first, str) and isinstance(second, str) else None

    return same


def _listed(index: int, list_name: str) -> RowCondition:
    def listed(row: Row, lists: Lists) -> bool | None:
        value = row[index]
        return value in lists[list_name] if isinstance(value, str) else None

    return listed


def _missing(found: tree.Tree, names: Names) -> RowCondition:
    if kinds.is_text(found):
        index = names.indexes[found.name]
        return lambda row, _: not isinstance(row[index], str)
    if kinds.is_condition(found):
        holds = condition(found, names)
        return lambda row, lists: holds(row, lists) is None
    value = quantity(kinds.as_quantity(found), names)
    return lambda row, _: value(row) is None


def _not(operand: RowCondition) -> RowCondition:
    def negated(row: Row, lists: Lists) -> bool | None:
        value = operand(row, lists)
        return None if value is None else not value

    return negated


def _chain(operands: list[RowCondition], *, decisive: bool) -> RowCondition:
    """``or`` is decided by True, ``and`` by False; else it is missing where an operand is."""

    def chain(row: Row, lists: Lists) -> bool | None:
        missing = False
        for operand in operands:
            value = operand(row, lists)
            if value is decisive:
                return decisive
            missing = missing or value is None
        return None if missing else not decisive

    return chain
