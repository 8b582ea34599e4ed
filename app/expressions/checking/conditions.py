"""Checks comparisons and memberships."""

from app.expressions import kinds
from app.expressions.checking.quantities import literal, not_compared
from app.expressions.checking.scope import Scope, as_quantity, described, textual
from app.expressions.names import Kind, Names, suggestion
from app.expressions.parsing import syntax
from app.expressions.parsing.quoted_text import quoted
from app.expressions.position import refusal
from app.expressions.tree import Column, Compare, Condition, InList, Not, OneOf, Relation, SameText, TextOneOf

_MOST_SHOWN = 10


def comparison(scope: Scope, node: syntax.Comparison) -> Condition:
    equal = Relation.EQUAL.value
    relation = Relation(equal if node.operator == "!=" else node.operator)
    found = _compared(scope, node, relation)
    return Not(found) if node.operator == "!=" else found


def _compared(scope: Scope, node: syntax.Comparison, relation: Relation) -> Condition:
    if isinstance(node.right, syntax.TextLiteral):
        return _with_text(scope, node.left, node.right, relation)
    if isinstance(node.left, syntax.TextLiteral):
        return _with_text(scope, node.right, node.left, relation)
    left, right = scope.typed(node.left), scope.typed(node.right)
    sides = (kinds.kind(left), kinds.kind(right))
    if Kind.BOOLEAN in sides:
        raise refusal(
            node.at, "a boolean is a condition by itself and is not compared: write NAME or not NAME"
        )
    if sides[0] is not sides[1]:
        raise refusal(node.right.at, not_compared(sides, scope.names))
    if kinds.is_text(left) and kinds.is_text(right):
        _require_equal(relation, node.right)
        _require_common_value(left, right, scope.names, node.right)
        return SameText(left, right)
    return Compare(relation, as_quantity(left, node.left), as_quantity(right, node.right))


def _with_text(scope: Scope, field: syntax.Syntax, text: syntax.TextLiteral, relation: Relation) -> Condition:
    column = textual(scope, field, "beside a text")
    _require_equal(relation, text)
    return TextOneOf(column, (_value(column, text, scope.names),))


def _require_equal(relation: Relation, right: syntax.Syntax) -> None:
    if relation is not Relation.EQUAL:
        raise refusal(right.at, "texts have no order: compare them with == or !=")


def _require_common_value(left: Column, right: Column, names: Names, node: syntax.Syntax) -> None:
    """Two categories without a common value are never equal."""
    if left.kind is Kind.CATEGORY and not {*_values(left, names)} & {*_values(right, names)}:
        raise refusal(node.at, f"{left.name} and {right.name} have no value in common")


def _values(column: Column, names: Names) -> tuple[str, ...]:
    return names.columns[names.indexes[column.name]].values


def _value(column: Column, text: syntax.TextLiteral, names: Names) -> str:
    """The content of a text, which must be a value of the column if that is a category."""
    values = _values(column, names)
    if column.kind is Kind.CATEGORY and text.content not in values:
        shown = ", ".join(map(quoted, values[:_MOST_SHOWN])) + (", …" if len(values) > _MOST_SHOWN else "")
        remedy = suggestion(text.content, values) or f"; its values are {shown}"
        raise refusal(text.at, f"{quoted(text.content)} is no value of {column.name}{remedy}")
    return text.content


def membership(scope: Scope, node: syntax.Membership) -> Condition:
    found = _member(scope, node.operand, node.among)
    return Not(found) if node.negated else found


def _member(
    scope: Scope, operand: syntax.Syntax, among: "tuple[syntax.Syntax, ...] | syntax.Name"
) -> Condition:
    if isinstance(among, syntax.Name):
        return in_list(scope, operand, among)
    found = scope.typed(operand)
    if kinds.is_text(found):
        return _text_member(scope, found, among)
    if kinds.kind(found) is Kind.TIME:
        raise refusal(operand.at, "a time is not one of several values: compare hour or weekday of it")
    number = as_quantity(found, operand)
    values = {literal(scope, value, kinds.kind(number)) for value in among}
    return OneOf(number, tuple(sorted(values, key=lambda each: each.value)))


def _text_member(scope: Scope, column: Column, among: tuple[syntax.Syntax, ...]) -> TextOneOf:
    values = set()
    for value in among:
        if not isinstance(value, syntax.TextLiteral):
            raise refusal(value.at, f"a text is expected here: {column.name} is {described(column.kind)}")
        values.add(_value(column, value, scope.names))
    return TextOneOf(column, tuple(sorted(values)))


def in_list(scope: Scope, operand: syntax.Syntax, name: "syntax.Name | syntax.TextLiteral") -> InList:
    """Check a lookup in a list, which ``in`` names and ``in_list`` has as a text."""
    list_name = name.name if isinstance(name, syntax.Name) else name.content
    if scope.names.column(list_name) is not None:
        raise refusal(name.at, f"'{list_name}' is no list but a field: compare with ==")
    if list_name not in scope.names.lists:
        known = "" if scope.names.lists else "; no list is known here"
        raise refusal(
            name.at, f"unknown list {quoted(list_name)}{suggestion(list_name, scope.names.lists) or known}"
        )
    column = textual(scope, operand, "to look up in a list")
    _require_kind(scope.names, list_name, column, operand)
    return InList(column, list_name)


def _require_kind(names: Names, list_name: str, column: Column, operand: syntax.Syntax) -> None:
    if names.list_kinds:
        kind = names.list_kinds[names.lists.index(list_name)]
        if (column.kind is Kind.IDENTIFIER) is not (kind is Kind.IDENTIFIER):
            raise refusal(
                operand.at,
                f"{column.name} is {described(column.kind)}, the entries of {list_name} are {kind}s",
            )
