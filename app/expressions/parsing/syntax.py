"""What the parser makes of a text: nodes with their positions, before names and types are known."""

import msgspec

from app.expressions.position import Position


class Name(msgspec.Struct, frozen=True):
    at: Position
    name: str


class NumberLiteral(msgspec.Struct, frozen=True):
    at: Position
    digits: str


class MoneyLiteral(msgspec.Struct, frozen=True):
    at: Position
    digits: str
    currency: str
    currency_at: Position


class TextLiteral(msgspec.Struct, frozen=True):
    at: Position
    content: str


class Signed(msgspec.Struct, frozen=True):
    """A minus sign before an operand."""

    at: Position
    operand: "Syntax"


class Negated(msgspec.Struct, frozen=True):
    """``not`` before an operand."""

    at: Position
    operand: "Syntax"


class Arithmetic(msgspec.Struct, frozen=True):
    at: Position
    operator: str
    left: "Syntax"
    right: "Syntax"


class Comparison(msgspec.Struct, frozen=True):
    at: Position
    operator: str
    left: "Syntax"
    right: "Syntax"


class Logic(msgspec.Struct, frozen=True):
    """Two or more operands with ``and`` between them, or with ``or``; no operand is a Logic of the same operator."""

    at: Position
    operator: str
    operands: "tuple[Syntax, ...]"


class Membership(msgspec.Struct, frozen=True):
    """``in`` or ``not in``, with values in parentheses or the name of a list."""

    at: Position
    operand: "Syntax"
    among: "tuple[Syntax, ...] | Name"
    negated: bool


class Call(msgspec.Struct, frozen=True):
    at: Position
    function: str
    arguments: "tuple[Syntax, ...]"


Literal = NumberLiteral | MoneyLiteral | TextLiteral
Syntax = Name | Literal | Signed | Negated | Arithmetic | Comparison | Logic | Membership | Call
