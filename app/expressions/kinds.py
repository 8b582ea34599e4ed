"""The type of a tree."""

from typing import TypeGuard

from app.expressions.names import TEXTUAL, Kind
from app.expressions.tree import Apply, Column, Condition, Money, Number, Quantity, Tree


def kind(found: Tree) -> Kind:
    """The type of a tree's value."""
    if isinstance(found, (Column, Apply)):
        return found.kind
    if isinstance(found, Number):
        return Kind.NUMBER
    return Kind.MONEY if isinstance(found, Money) else Kind.BOOLEAN


def is_condition(found: Tree) -> TypeGuard[Condition]:
    """Whether a tree is of type boolean."""
    return kind(found) is Kind.BOOLEAN


def is_quantity(found: Tree) -> TypeGuard[Quantity]:
    """Whether a tree is a number, money or a time."""
    return not is_condition(found) and kind(found) not in TEXTUAL


def as_quantity(found: Tree) -> Quantity:
    """The tree, where it is a number, money or a time. Raises TypeError for any other."""
    if not is_quantity(found):
        raise TypeError(f"{found} is neither a number nor money nor a time")
    return found


def is_text(found: Tree) -> TypeGuard[Column]:
    """Whether a tree is a text, a category or an identifier: then it is a column."""
    return kind(found) in TEXTUAL
