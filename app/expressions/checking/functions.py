"""Checks calls. The functions are a closed set; one that computes a quantity is an entry of ``_QUANTITIES``."""

from typing import NamedTuple

from app.expressions import kinds, tree
from app.expressions.bounds import MOST_VALUES
from app.expressions.checking.conditions import in_list
from app.expressions.checking.scope import Scope, described, quantity, textual
from app.expressions.names import Kind, suggestion
from app.expressions.parsing import syntax
from app.expressions.position import refusal
from app.expressions.tree import Apply, Condition, IsMissing, Operation, StartsWith, Tree


class Signature(NamedTuple):
    """What a function takes and gives; its arguments are of one type."""

    operation: Operation
    takes: tuple[Kind, ...]
    gives: Kind | None = None
    """None: the type of its arguments."""
    least: int = 1
    most: int = 1


_AMOUNTS = (Kind.NUMBER, Kind.MONEY)
_QUANTITIES = {
    "abs": Signature(Operation.ABS, _AMOUNTS),
    "min": Signature(Operation.MIN, (*_AMOUNTS, Kind.TIME), least=2, most=MOST_VALUES),
    "max": Signature(Operation.MAX, (*_AMOUNTS, Kind.TIME), least=2, most=MOST_VALUES),
    "hour": Signature(Operation.HOUR, (Kind.TIME,), Kind.NUMBER),
    "weekday": Signature(Operation.WEEKDAY, (Kind.TIME,), Kind.NUMBER),
}
FUNCTIONS = (*_QUANTITIES, "in_list", "is_missing", "starts_with")


def call(scope: Scope, node: syntax.Call) -> Tree:
    if node.function in _QUANTITIES:
        return _computed(scope, node, _QUANTITIES[node.function])
    match node.function:
        case "is_missing":
            (operand,) = _arguments(node, 1)
            return _is_missing(scope, operand)
        case "starts_with":
            return _starts_with(scope, *_arguments(node, 2))
        case "in_list":
            operand, name = _arguments(node, 2)
            if not isinstance(name, syntax.TextLiteral):
                raise refusal(name.at, "the name of a list is expected here as a text, as in 'blocked'")
            return in_list(scope, operand, name)
        case _:
            raise refusal(node.at, f"unknown function '{node.function}'{_remedy(scope, node.function)}")


def _remedy(scope: Scope, name: str) -> str:
    if scope.names.column(name) is not None:
        return ": it is a field, and is not called"
    return suggestion(name, FUNCTIONS) or f"; the functions are {', '.join(sorted(FUNCTIONS))}"


def _arguments(node: syntax.Call, least: int, most: int = 0) -> tuple[syntax.Syntax, ...]:
    """The arguments of a call, from ``least`` to ``most`` in number; exactly ``least`` without ``most``."""
    count = len(node.arguments)
    if not least <= count <= max(least, most):
        wanted = f"{least} to {most}" if most > least else str(least)
        raise refusal(node.at, f"{node.function} takes {wanted} argument{'s' * (wanted != '1')}, not {count}")
    return node.arguments


def _computed(scope: Scope, node: syntax.Call, signature: Signature) -> Apply:
    arguments = _arguments(node, signature.least, signature.most)
    found = tuple(quantity(scope, argument) for argument in arguments)
    first = kinds.kind(found[0])
    for argument, operand in zip(arguments, found, strict=True):
        kind = kinds.kind(operand)
        if kind not in signature.takes:
            taken = " or ".join(map(described, signature.takes))
            raise refusal(argument.at, f"{node.function} takes {taken}, not {described(kind)}")
        if kind is not first:
            raise refusal(
                argument.at,
                f"{node.function} takes arguments of one type: this is {described(kind)}, the first is {described(first)}",
            )
    return Apply(signature.operation, found, signature.gives or first)


def _is_missing(scope: Scope, operand: syntax.Syntax) -> Condition:
    found = scope.typed(operand)
    if isinstance(found, tree.Number | tree.Money):
        raise refusal(operand.at, "a literal is never missing")
    return IsMissing(found)


def _starts_with(scope: Scope, operand: syntax.Syntax, prefix: syntax.Syntax) -> StartsWith:
    column = textual(scope, operand, "as the first argument of starts_with")
    if column.kind is Kind.CATEGORY:
        raise refusal(operand.at, f"{column.name} is a category: write its values after in")
    if not isinstance(prefix, syntax.TextLiteral):
        raise refusal(prefix.at, "a text between quotes is expected here, as in starts_with(NAME, '58')")
    if not prefix.content:
        raise refusal(prefix.at, "every text starts with an empty one")
    return StartsWith(column, prefix.content)
