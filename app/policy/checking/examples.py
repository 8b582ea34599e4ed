"""Checks the tests of a rule: values of a transaction, entries of lists, and whether the rule fires."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite

from app.checking.problems import remedy, shown
from app.checking.table import Table, described
from app.expressions.cells import Cell
from app.expressions.names import Field, Kind
from app.policy.bounds import MOST_TEST_ENTRIES, MOST_TESTS
from app.policy.checking.lists import Scope
from app.policy.checking.values import minor_units
from app.policy.definitions import RuleTest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED: Mapping[Kind, str] = {
    Kind.NUMBER: "a finite number",
    Kind.MONEY: "a text with an amount",
    Kind.BOOLEAN: "true or false",
    Kind.TIME: "a date with time and offset, as in 2026-11-30T02:15:00Z",
}


def rule_tests(rule: Table, scope: Scope) -> tuple[RuleTest, ...]:
    """The tests of a rule."""
    found, count = [], 0
    for count, table in enumerate(rule.items("tests"), start=1):
        if count <= MOST_TESTS:
            found.append(_test(table, scope))
    if count > MOST_TESTS:
        rule.refuse(f"{count} tests; a rule has at most {MOST_TESTS}", at="tests")
    return tuple(found)


def _test(table: Table, scope: Scope) -> RuleTest:
    table.expect("given", "lists", "expect")
    given, lists = dict[str, Cell](), dict[str, frozenset[str]]()
    if (values := table.table("given")) is not None:
        given = {name: _cell(values, name, scope) for name in values}
    if "lists" in table and (entries := table.table("lists")) is not None:
        lists = {name: _entries(entries, name, scope) for name in entries}
    if "expect" not in table:
        table.refuse("expect is missing", "write expect = true if the rule is to fire, else false")
    return RuleTest(given=given, lists=lists, expect=table.get("expect", bool, True))


def _entries(table: Table, name: str, scope: Scope) -> frozenset[str]:
    if name not in scope.lists:
        table.refuse(f"unknown list '{shown(name)}'", remedy(name, scope.lists), at=name)
    entries = table.texts(name) or ()
    if len(entries) > MOST_TEST_ENTRIES:
        table.refuse(f"{len(entries)} entries; a test has at most {MOST_TEST_ENTRIES} of a list", at=name)
    return frozenset(entries)


def _cell(table: Table, name: str, scope: Scope) -> Cell:
    """The value of a column; None where it has a problem."""
    column, value = scope.names.column(name), table.raw(name)
    if column is None:
        table.refuse(f"unknown field or feature '{shown(name)}'", remedy(name, scope.names.indexes), at=name)
        return None
    cell = (
        _number(value) if column.kind is Kind.NUMBER else _time(value) if column.kind is Kind.TIME else None
    )
    if cell is not None:
        return cell
    if column.kind is Kind.MONEY and isinstance(value, str):
        return minor_units(table, name, value, scope.names)
    if column.kind is Kind.BOOLEAN and isinstance(value, bool):
        return value
    if column.kind not in _EXPECTED and isinstance(value, str):
        return _text(table, column, value)
    table.refuse(f"{_EXPECTED.get(column.kind, 'a text')} is expected here, not {described(value)}", at=name)
    return None


def _text(table: Table, column: Field, value: str) -> str:
    if column.kind is Kind.CATEGORY and value not in column.values:
        table.refuse(
            f"'{shown(value)}' is no value of {column.name}", remedy(value, column.values), at=column.name
        )
    return value


def _number(value: object) -> float | None:
    return (
        float(value)
        if type(value) in {int, float} and isinstance(value, int | float) and isfinite(value)
        else None
    )


def _time(value: object) -> int | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return (value - _EPOCH) // timedelta(milliseconds=1)
