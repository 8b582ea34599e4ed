"""The typed tree: all that is ever computed. Immutable, without positions, and equal for texts that mean the same.

``!=`` is ``not`` around ``==``; values after ``in`` are sorted and unique; ``and`` in ``and`` is one node. Identical
conditions are therefore found by comparing trees, or the texts that ``printer`` writes.
"""

from enum import StrEnum

import msgspec

from app.expressions.names import Kind


class Operation(StrEnum):
    """An operation on numbers, money or times; it is missing where one of its operands is."""

    NEGATE = "-"
    ABS = "abs"
    MIN = "min"
    MAX = "max"
    HOUR = "hour"
    WEEKDAY = "weekday"
    ADD = "number + number"
    SUBTRACT = "number - number"
    MULTIPLY = "number * number"
    DIVIDE = "number / number"
    ADD_MONEY = "money + money"
    SUBTRACT_MONEY = "money - money"
    SCALE_MONEY = "money * number"
    SHARE_MONEY = "money / number"
    RATIO = "money / money"


class Relation(StrEnum):
    EQUAL = "=="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="


class Column(msgspec.Struct, frozen=True):
    name: str
    kind: Kind


class Number(msgspec.Struct, frozen=True):
    value: float


class Money(msgspec.Struct, frozen=True):
    value: int
    """Minor units."""
    currency: str


class Apply(msgspec.Struct, frozen=True):
    operation: Operation
    operands: "tuple[Quantity, ...]"
    kind: Kind


class Compare(msgspec.Struct, frozen=True):
    """Two operands of one type: number, money or time."""

    relation: Relation
    left: "Quantity"
    right: "Quantity"


class OneOf(msgspec.Struct, frozen=True):
    """Whether a number or money is one of the values."""

    operand: "Quantity"
    values: tuple[Number | Money, ...]


class TextOneOf(msgspec.Struct, frozen=True):
    """Whether a text is one of the values."""

    column: Column
    values: tuple[str, ...]


class SameText(msgspec.Struct, frozen=True):
    left: Column
    right: Column


class StartsWith(msgspec.Struct, frozen=True):
    column: Column
    prefix: str


class InList(msgspec.Struct, frozen=True):
    column: Column
    list_name: str


class IsMissing(msgspec.Struct, frozen=True):
    operand: "Tree"


class Not(msgspec.Struct, frozen=True):
    operand: "Condition"


class And(msgspec.Struct, frozen=True):
    operands: "tuple[Condition, ...]"


class Or(msgspec.Struct, frozen=True):
    operands: "tuple[Condition, ...]"


Quantity = Column | Number | Money | Apply
"""Of type number, money or time."""
Condition = Column | Compare | OneOf | TextOneOf | SameText | StartsWith | InList | IsMissing | Not | And | Or
"""Of type boolean."""
Tree = Quantity | Condition


def parts(tree: Tree) -> "tuple[Tree, ...]":
    """The nodes directly below a node."""
    match tree:
        case Apply() | And() | Or():
            return tree.operands
        case Compare() | SameText():
            return (tree.left, tree.right)
        case OneOf() | IsMissing() | Not():
            return (tree.operand,)
        case TextOneOf() | StartsWith() | InList():
            return (tree.column,)
        case _:
            return ()


def named(tree: Tree) -> frozenset[str]:
    """The names of the columns in a tree."""
    if isinstance(tree, Column):
        return frozenset({tree.name})
    return frozenset[str]().union(*map(named, parts(tree)))
