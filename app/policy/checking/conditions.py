"""Checks the conditions of rules and bands. Problems name line and column of the file."""

import re

from app.checking.table import Table
from app.errors import InvalidExpression
from app.expressions.checking import checker
from app.expressions.position import Position
from app.expressions.tree import Condition, named
from app.policy.checking.lists import Scope

_NAME = re.compile(r"'?([A-Za-z_][A-Za-z0-9_]*)")


def condition(table: Table, key: str, scope: Scope) -> Condition | None:
    """The condition of a key that must be there; None where it has a problem."""
    text = table.required(key, f'{key} = "amount > 500 {scope.names.currency} and score >= 0.4"')
    return None if text is None else condition_of(table, key, text, scope)


def condition_of(table: Table, key: str, text: str, scope: Scope) -> Condition | None:
    """The condition in a text; None where it has a problem."""
    try:
        found = checker.condition(text, scope.names)
    except InvalidExpression as error:
        _refuse(table, key, text, error, scope)
        return None
    if not named(found):
        table.refuse("the condition names no field: it is the same for every transaction", at=key)
        return None
    return found


def _refuse(table: Table, key: str, text: str, error: InvalidExpression, scope: Scope) -> None:
    line = text.split("\n")[error.line - 1]
    name = _NAME.match(line, error.column - 1)
    if name is not None and name[1] in scope.lists and scope.lists[name[1]] is None:
        return
    message, _, remedy = str(error).partition(": ")[2].partition("; ")
    table.refuse(message, remedy, at=key, within=Position(error.line, error.column))
