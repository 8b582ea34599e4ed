"""Checks ``where`` and ``derive`` of a feature, whose texts are expressions."""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from app.catalog.checking.known import NO_CURRENCY, Known, columns
from app.catalog.functions import value_kind
from app.checking.table import Table
from app.errors import InvalidExpression
from app.expressions import kinds
from app.expressions.checking import checker
from app.expressions.names import Field, Kind, Names
from app.expressions.tree import Condition, Quantity, Tree, named

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Key(NamedTuple):
    """A key with an expression: how it is checked, and what is said of a name that only the catalog knows."""

    key: str
    check: Callable[[str, Names], Tree]
    names: Names
    known: Known
    elsewhere: Collection[str]
    """Names of all features of the file."""
    message: str
    remedy: str

    def explains(self, table: Table, place: str, name: str) -> bool:
        """Whether the name is one of the catalog: then it is refused here, unless it has a problem of its own."""
        if self.names.column(name) is not None:
            return False
        has_problem = self.known.has_problem(name)
        if name in self.elsewhere and not has_problem:
            table.refuse(f"{place}: '{name}' {self.message}", self.remedy, at=self.key)
        return name in self.elsewhere or has_problem


def where(table: Table, known: Known, feature_names: Collection[str]) -> Condition | None:
    """The filter of a feature, over the fields of the event; None without one, or where it has a problem."""
    names = Names(tuple(columns(known.fields.values())), known.currency or NO_CURRENCY)
    remedy = "where sees the fields of the event alone; use features in derive"
    key = _Key("where", checker.condition, names, known, feature_names, "is a feature", remedy)
    found = _checked(table, key)
    return found if found is not None and kinds.is_condition(found) else None


def derive(table: Table, known: Known, feature_names: Collection[str]) -> Quantity | Condition | None:
    """The expression of a derived feature, over fields and the features before it; None where it has a problem."""
    before = [Field(each.name, value_kind(each, known.fields)) for each in known.features.values() if each]
    names = Names((*columns(known.fields.values()), *before), known.currency or NO_CURRENCY)
    message, remedy = (
        "is no feature before this one",
        "a feature is derived from features that stand before it",
    )
    found = _checked(table, _Key("derive", checker.derived, names, known, feature_names, message, remedy))
    if found is None or kinds.is_condition(found):
        return found
    if kinds.kind(found) is Kind.TIME:
        remedy = "take hour or weekday of it"
        table.refuse("a feature is a number, money or a condition, not a time", remedy, at="derive")
    return kinds.as_quantity(found)


def _checked(table: Table, key: _Key) -> Tree | None:
    text = table.text(key.key)
    if text is None or not key.known.currency:
        return None
    try:
        found = key.check(text, key.names)
    except InvalidExpression as error:
        _refuse(table, key, text, error)
        return None
    if not named(found):
        message = "the expression names no field: it is the same for every transaction"
        table.refuse(message, at=key.key)
    return found


def _refuse(table: Table, key: _Key, text: str, error: InvalidExpression) -> None:
    line = text.split("\n")[error.line - 1]
    place = f"column {error.column}" if line == text else f"line {error.line}, column {error.column}"
    name = _NAME.match(line, error.column - 1)
    if name is None or not key.explains(table, place, name[0]):
        table.refuse(f"{place}: {str(error).partition(': ')[2]}", at=key.key)
