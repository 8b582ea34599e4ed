"""Interprets a tree node by node: exact integers and three-valued logic by their definitions, no code of the back-ends."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import isfinite
from typing import Any

from app.expressions import tree
from app.expressions.tree import Operation, Relation, Tree
from tests.support.expressions.names import NAMES, ZONE

LARGEST = 2**63 - 1
HOLDS = {
    Relation.EQUAL: lambda a, b: a == b,
    Relation.LESS: lambda a, b: a < b,
    Relation.LESS_EQUAL: lambda a, b: a <= b,
    Relation.GREATER: lambda a, b: a > b,
    Relation.GREATER_EQUAL: lambda a, b: a >= b,
}


def value(found: Tree, row: tuple[Any, ...], lists: dict[str, frozenset[str]]) -> Any:
    """The value of a tree; None where missing."""

    def of(part: Tree) -> Any:
        return value(part, row, lists)

    match found:
        case tree.Column():
            return _cell(row[[column.name for column in NAMES.columns].index(found.name)])
        case tree.Number() | tree.Money():
            return found.value
        case tree.IsMissing():
            return of(found.operand) is None
        case tree.And():
            values = [of(operand) for operand in found.operands]
            return False if False in values else (None if None in values else True)
        case tree.Or():
            values = [of(operand) for operand in found.operands]
            return True if True in values else (None if None in values else False)
    values = [of(part) for part in tree.parts(found)]
    return None if None in values else _strict(found, values, lists)


def _cell(cell: Any) -> Any:
    if isinstance(cell, float):
        return cell if isfinite(cell) else None
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell if abs(cell) <= LARGEST else None
    return cell


def _strict(found: Tree, values: list[Any], lists: dict[str, frozenset[str]]) -> Any:  # noqa: C901, PLR0911  # one case for each kind of node
    match found:
        case tree.Not():
            return not values[0]
        case tree.Compare():
            return HOLDS[found.relation](*values)
        case tree.OneOf():
            return any(values[0] == each.value for each in found.values)
        case tree.TextOneOf():
            return any(values[0] == each for each in found.values)
        case tree.SameText():
            return values[0] == values[1]
        case tree.StartsWith():
            return values[0][: len(found.prefix)] == found.prefix
        case tree.InList():
            return values[0] in lists[found.list_name]
        case tree.Apply():
            return _applied(found, values)
    raise AssertionError(found)


def _applied(found: tree.Apply, values: list[Any]) -> Any:  # noqa: C901, PLR0911  # one case for each operation
    first, *others = values
    match found.operation:
        case Operation.NEGATE:
            return -first
        case Operation.ABS:
            return abs(first)
        case Operation.MIN | Operation.MAX:
            sign = 1 if found.operation is Operation.MIN else -1
            return min(values, key=lambda each: sign * each)
        case Operation.HOUR | Operation.WEEKDAY:
            return _on_the_clock(found.operation, first)
        case Operation.ADD | Operation.SUBTRACT | Operation.MULTIPLY | Operation.DIVIDE:
            return _float(found.operation, first, others[0])
        case Operation.RATIO:
            return float(first) / float(others[0]) if others[0] else None
        case Operation.ADD_MONEY:
            return _cell(first + others[0])
        case Operation.SUBTRACT_MONEY:
            return _cell(first - others[0])
        case _:
            return _rounded(found.operation, float(first), others[0])


def _float(operation: Operation, left: float, right: float) -> Any:
    if operation is Operation.DIVIDE:
        return _cell(left / right) if right else None
    signed = {
        Operation.ADD: left + right,
        Operation.SUBTRACT: left + -right,
        Operation.MULTIPLY: left * right,
    }
    return _cell(signed[operation])


def _rounded(operation: Operation, money: float, number: float) -> Any:
    if operation is Operation.SHARE_MONEY and number == 0:
        return None
    found = money * number if operation is Operation.SCALE_MONEY else money / number
    return _cell(round(Fraction(found))) if isfinite(found) else None


def _on_the_clock(operation: Operation, time_ms: int) -> float | None:
    if not ZONE.starts_ms[0] <= time_ms < ZONE.end_ms:
        return None
    offset = [
        offset for start, offset in zip(ZONE.starts_ms, ZONE.offsets_ms, strict=True) if start <= time_ms
    ][-1]
    clock = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms + offset)
    return float(clock.hour if operation is Operation.HOUR else clock.isoweekday())
