"""Random well-typed trees and rows, for Hypothesis."""

from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from app.expressions import tree
from app.expressions.names import Kind
from app.expressions.tree import (
    And,
    Apply,
    Column,
    Condition,
    Money,
    Number,
    Operation,
    Or,
    Quantity,
    Relation,
)
from tests.support.expressions.names import CHANNELS, COUNTRIES, LISTS, NAMES

DEPTH = 4
WORDS = ("", "a", "ab", "abc", "O'Neill", 'say "\\"', "é", "and", *CHANNELS, *COUNTRIES)

decimals = st.builds(
    lambda digits, point: Decimal(digits).scaleb(-point), st.integers(0, 10**15 - 1), st.integers(0, 15)
)
"""Every number of 15 digits, few of them short."""
numbers = st.builds(
    lambda decimal: Number(float(decimal)),
    st.one_of(decimals, st.sampled_from(["0", "1", "2", "0.1", "0.5", "100"])),
)
amounts = st.builds(
    lambda minor: Money(minor, "EUR"), st.one_of(st.integers(0, 10**15 - 1), st.integers(0, 300))
)
literals: dict[Kind, st.SearchStrategy[Quantity]] = {Kind.NUMBER: numbers, Kind.MONEY: amounts}


def columns(*kinds: Kind) -> st.SearchStrategy[Column]:
    return st.sampled_from(
        [Column(column.name, column.kind) for column in NAMES.columns if column.kind in kinds]
    )


@cache
def quantities(kind: Kind, depth: int = DEPTH) -> st.SearchStrategy[Quantity]:
    """Trees of type number, money or time."""
    leaves: list[st.SearchStrategy[Quantity]] = [
        columns(kind),
        *([literals[kind]] if kind in literals else []),
    ]
    return st.one_of(leaves) if depth == 0 else st.one_of(*leaves, *_applied(kind, depth - 1))


def _applied(kind: Kind, depth: int) -> list[st.SearchStrategy[Quantity]]:
    def apply(operation: Operation, *kinds: Kind) -> st.SearchStrategy[Quantity]:
        operands = st.tuples(*(quantities(each, depth) for each in kinds))
        return st.builds(Apply, st.just(operation), operands, st.just(kind))

    number, money, time = Kind.NUMBER, Kind.MONEY, Kind.TIME
    extremes = [
        apply(operation, *(kind,) * count) for operation in (Operation.MIN, Operation.MAX) for count in (2, 3)
    ]
    if kind is time:
        return extremes
    signs = [apply(operation, kind) for operation in (Operation.NEGATE, Operation.ABS)]
    if kind is money:
        sums = [
            apply(operation, money, money) for operation in (Operation.ADD_MONEY, Operation.SUBTRACT_MONEY)
        ]
        return [
            *extremes,
            *signs,
            *sums,
            *(apply(each, money, number) for each in (Operation.SCALE_MONEY, Operation.SHARE_MONEY)),
        ]
    arithmetic = (Operation.ADD, Operation.SUBTRACT, Operation.MULTIPLY, Operation.DIVIDE)
    clocks = [apply(operation, time) for operation in (Operation.HOUR, Operation.WEEKDAY)]
    return [
        *extremes,
        *signs,
        *clocks,
        *(apply(each, number, number) for each in arithmetic),
        apply(Operation.RATIO, money, money),
    ]


@cache
def conditions(depth: int = DEPTH) -> st.SearchStrategy[Condition]:
    """Trees of type boolean."""
    below = max(depth - 1, 0)
    leaves = [columns(Kind.BOOLEAN), _comparisons(below), _memberships(below), _texts()]
    if depth == 0:
        return st.one_of(leaves)
    inner = st.deferred(lambda: conditions(below))
    chains = st.lists(inner, min_size=2, max_size=4)
    return st.one_of(
        *leaves,
        st.builds(tree.Not, inner),
        st.builds(tree.IsMissing, st.one_of(inner, columns(*Kind), _any_column_or_sum(below))),
        chains.map(lambda operands: _joined(And, operands)),
        chains.map(lambda operands: _joined(Or, operands)),
    )


def _joined(join: type[And] | type[Or], operands: list[Condition]) -> Condition:
    return join(
        tuple(
            each
            for operand in operands
            for each in (operand.operands if isinstance(operand, join) else (operand,))
        )
    )


def _any_column_or_sum(depth: int) -> st.SearchStrategy[Quantity]:
    return st.one_of(_applied(Kind.NUMBER, depth) + _applied(Kind.MONEY, depth))


def _comparisons(depth: int) -> st.SearchStrategy[Condition]:
    return st.one_of(
        [
            st.builds(
                tree.Compare, st.sampled_from(Relation), quantities(kind, depth), quantities(kind, depth)
            )
            for kind in (Kind.NUMBER, Kind.MONEY, Kind.TIME)
        ]
    )


def _memberships(depth: int) -> st.SearchStrategy[Condition]:
    signs = st.sampled_from([1, -1])
    signed_numbers = st.builds(lambda sign, each: Number(sign * each.value + 0.0), signs, numbers)
    signed_amounts = st.builds(lambda sign, each: Money(sign * each.value, "EUR"), signs, amounts)
    return st.one_of(
        st.builds(tree.OneOf, quantities(Kind.NUMBER, depth), _values(signed_numbers)),
        st.builds(tree.OneOf, quantities(Kind.MONEY, depth), _values(signed_amounts)),
    )


def _values(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    found = st.lists(values, min_size=1, max_size=4, unique=True)
    return found.map(lambda each: tuple(sorted(each, key=lambda value: value.value)))


def _texts() -> st.SearchStrategy[Condition]:
    textual = (Kind.TEXT, Kind.CATEGORY, Kind.IDENTIFIER)
    choices = [
        st.builds(tree.TextOneOf, st.just(Column(column.name, column.kind)),
            st.lists(st.sampled_from(column.values or WORDS), min_size=1, max_size=3, unique=True).map(lambda each: tuple(sorted(each))))
        for column in NAMES.columns if column.kind in textual
    ]  # fmt: skip
    same = [st.builds(tree.SameText, columns(kind), columns(kind)) for kind in (Kind.TEXT, Kind.IDENTIFIER)]
    countries = [Column(name, Kind.CATEGORY) for name in ("country", "ip_country")]
    prefixes = st.sampled_from([word for word in WORDS if word])
    return st.one_of(
        *choices,
        *same,
        st.builds(tree.SameText, *(st.sampled_from(countries),) * 2),
        st.builds(tree.StartsWith, columns(Kind.TEXT, Kind.IDENTIFIER), prefixes),
        st.builds(tree.InList, columns(*textual), st.sampled_from(LISTS)),
    )
