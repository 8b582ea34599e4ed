"""Where in the text of an expression something is, and the refusal that names it."""

from typing import NamedTuple

from app.errors import InvalidExpression


class Position(NamedTuple):
    """Line and column, both counted from 1; a column is a character."""

    line: int
    column: int


START = Position(1, 1)


def refusal(at: Position, message: str) -> InvalidExpression:
    """The error to raise at a position."""
    return InvalidExpression(message, at.line, at.column)
