"""Writes a tree as the text of an expression: its normal form, which the parser and the checker read back as the same tree."""

from collections.abc import Iterable
from decimal import Decimal
from typing import assert_never

from app.domain.money import minor_digits
from app.expressions import tree
from app.expressions.parsing.quoted_text import quoted
from app.expressions.tree import (
    Compare,
    Condition,
    InList,
    OneOf,
    Operation,
    Relation,
    SameText,
    TextOneOf,
    Tree,
)

_OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _SIGN, _VALUE = range(1, 9)

_INFIX = {
    Operation.ADD: ("+", _SUM),
    Operation.SUBTRACT: ("-", _SUM),
    Operation.ADD_MONEY: ("+", _SUM),
    Operation.SUBTRACT_MONEY: ("-", _SUM),
    Operation.MULTIPLY: ("*", _PRODUCT),
    Operation.SCALE_MONEY: ("*", _PRODUCT),
    Operation.DIVIDE: ("/", _PRODUCT),
    Operation.SHARE_MONEY: ("/", _PRODUCT),
    Operation.RATIO: ("/", _PRODUCT),
}


def text(found: Tree) -> str:
    """Return the tree as text, in one line."""
    return _within(found, 0)


def _within(found: Tree, binding: int) -> str:
    """The text of a node, in parentheses where it binds more weakly than its surroundings require."""
    written, own = _written(found)
    return f"({written})" if own < binding else written


def _written(found: Tree) -> tuple[str, int]:  # noqa: C901, PLR0911  # one case for each kind of node
    """The text of a node, and how strongly its outermost operator binds."""
    match found:
        case tree.Column():
            return found.name, _VALUE
        case tree.Number() | tree.Money():
            return _literal(found), _VALUE
        case tree.Apply():
            return _applied(found)
        case tree.StartsWith():
            return f"starts_with({found.column.name}, {quoted(found.prefix)})", _VALUE
        case tree.IsMissing():
            return f"is_missing({text(found.operand)})", _VALUE
        case tree.Not():
            return _negated(found.operand)
        case tree.And():
            return _joined(" and ", found.operands, _NOT), _AND
        case tree.Or():
            return _joined(" or ", found.operands, _AND), _OR
        case _:
            return _related(found), _COMPARED


def _negated(operand: Condition) -> tuple[str, int]:
    if isinstance(operand, (OneOf, TextOneOf, SameText, InList)) or (
        isinstance(operand, Compare) and operand.relation is Relation.EQUAL
    ):
        return _related(operand, negated=True), _COMPARED
    return f"not {_within(operand, _NOT)}", _NOT


def _related(found: Compare | OneOf | TextOneOf | SameText | InList, *, negated: bool = False) -> str:
    equal, among = ("!=", "not in") if negated else ("==", "in")
    match found:
        case Compare():
            relation = equal if found.relation is Relation.EQUAL else found.relation
            return f"{_within(found.left, _SUM)} {relation} {_within(found.right, _SUM)}"
        case SameText():
            return f"{found.left.name} {equal} {found.right.name}"
        case InList():
            return f"{found.column.name} {among} {found.list_name}"
        case OneOf():
            return f"{_within(found.operand, _SUM)} {among} {_values(map(_literal, found.values))}"
        case TextOneOf():
            if len(found.values) == 1:
                return f"{found.column.name} {equal} {quoted(found.values[0])}"
            return f"{found.column.name} {among} {_values(map(quoted, found.values))}"
        case _:
            assert_never(found)


def _values(written: Iterable[str]) -> str:
    """Values in parentheses; a comma behind a single one, as in Python."""
    first, *others = written
    return f"({', '.join([first, *others])})" if others else f"({first},)"


def _applied(found: tree.Apply) -> tuple[str, int]:
    if found.operation is Operation.NEGATE:
        return f"-{_within(found.operands[0], _SIGN)}", _SIGN
    if found.operation not in _INFIX:
        return f"{found.operation}({', '.join(map(text, found.operands))})", _VALUE
    symbol, binding = _INFIX[found.operation]
    left, right = found.operands
    return f"{_within(left, binding)} {symbol} {_within(right, binding + 1)}", binding


def _joined(word: str, operands: Iterable[Condition], binding: int) -> str:
    return word.join(_within(operand, binding) for operand in operands)


def _literal(found: tree.Number | tree.Money) -> str:
    """Digits without an exponent, which read back as the same value."""
    if isinstance(found, tree.Money):
        amount = Decimal(found.value).scaleb(-minor_digits(found.currency))
        return f"{_digits(amount)} {found.currency}"
    return _digits(Decimal(repr(found.value)))


def _digits(number: Decimal) -> str:
    written = f"{number:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
