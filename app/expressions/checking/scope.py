"""What the parts of the checker share: the names, the recursion, and the words for types."""

from typing import Protocol

from app.expressions import kinds
from app.expressions.names import Kind, Names
from app.expressions.parsing import syntax
from app.expressions.parsing.syntax import Syntax
from app.expressions.position import refusal
from app.expressions.tree import Column, Condition, Quantity, Tree

_ARTICLE = {Kind.MONEY: "", Kind.IDENTIFIER: "an "}


class Scope(Protocol):
    """The checker, as its parts see it."""

    names: Names

    def typed(self, node: Syntax) -> Tree:
        """The tree of a node. Raises InvalidExpression, for a text literal too: it has a meaning beside a column only."""
        ...


def described(kind: Kind) -> str:
    """A type in words.

    >>> described(Kind.NUMBER), described(Kind.MONEY), described(Kind.IDENTIFIER)
    ('a number', 'money', 'an identifier')
    """
    return f"{_ARTICLE.get(kind, 'a ')}{kind}"


def condition(scope: Scope, node: Syntax) -> Condition:
    """The tree of a node that must be a condition."""
    found = scope.typed(node)
    if not kinds.is_condition(found):
        raise refusal(node.at, f"a condition is expected here, not {described(kinds.kind(found))}")
    return found


def quantity(scope: Scope, node: Syntax) -> Quantity:
    """The tree of a node that must be a number, money or a time."""
    return as_quantity(scope.typed(node), node)


def as_quantity(found: Tree, node: Syntax) -> Quantity:
    """The tree itself, where it is a number, money or a time. A node is typed once: twice at each level would double the work."""
    if not kinds.is_quantity(found):
        raise refusal(node.at, f"a number or money is expected here, not {described(kinds.kind(found))}")
    return found


def textual(scope: Scope, node: Syntax, place: str) -> Column:
    """The column of a node that must name a text, a category or an identifier."""
    if isinstance(node, syntax.TextLiteral):
        raise refusal(node.at, f"the name of a field is expected {place}, not a text")
    found = scope.typed(node)
    if not kinds.is_text(found):
        raise refusal(
            node.at, f"a text, category or identifier is expected {place}, not {described(kinds.kind(found))}"
        )
    return found
