"""Gives syntax its types: names are looked up, operands compared with what an operation takes, errors name the place."""

from typing import assert_never

from app.expressions import kinds
from app.expressions.bounds import MOST_COST, MOST_DEPTH
from app.expressions.checking import conditions, functions, quantities, scope
from app.expressions.cost import cost
from app.expressions.names import TEXTUAL, Names, suggestion
from app.expressions.parsing import syntax
from app.expressions.parsing.parser import parse
from app.expressions.parsing.syntax import Syntax
from app.expressions.position import START, refusal
from app.expressions.tree import And, Column, Condition, Not, Number, Or, Tree


def condition(text: str, names: Names) -> Condition:
    """Return the tree of a condition. Raises InvalidExpression with line and column."""
    found = scope.condition(_Checker(names), parse(text))
    _check_cost(found)
    return found


def derived(text: str, names: Names) -> Tree:
    """Return the tree of a derived value: a number, money, a time or a boolean. Raises InvalidExpression."""
    node = parse(text)
    found = _Checker(names).typed(node)
    if kinds.kind(found) in TEXTUAL:
        kind = scope.described(kinds.kind(found))
        raise refusal(node.at, f"a number, money, a time or a condition is expected here, not {kind}")
    _check_cost(found)
    return found


def _check_cost(found: Tree) -> None:
    if cost(found) > MOST_COST:
        raise refusal(
            START, f"the expression costs {cost(found)} units a row; at most {MOST_COST} are allowed"
        )


class _Checker:
    """A ``Scope``: descends from node to node, as deep as the bound allows."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._depth = 0

    def typed(self, node: Syntax) -> Tree:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise refusal(
                node.at,
                f"nested deeper than {MOST_DEPTH} levels: a long sum counts a level for each operator",
            )
        found = self._typed(node)
        self._depth -= 1
        return found

    def _typed(self, node: Syntax) -> Tree:  # noqa: C901, PLR0911  # one case for each kind of node
        match node:
            case syntax.Name():
                return self._column(node)
            case syntax.NumberLiteral():
                return Number(float(node.digits))
            case syntax.MoneyLiteral():
                return quantities.money(node, self.names)
            case syntax.TextLiteral():
                raise refusal(node.at, "a text stands only beside a field: write NAME == 'text'")
            case syntax.Signed():
                return quantities.signed(self, node)
            case syntax.Negated():
                return Not(scope.condition(self, node.operand))
            case syntax.Arithmetic():
                return quantities.arithmetic(self, node)
            case syntax.Comparison():
                return conditions.comparison(self, node)
            case syntax.Membership():
                return conditions.membership(self, node)
            case syntax.Call():
                return functions.call(self, node)
            case syntax.Logic():
                operands = tuple(scope.condition(self, operand) for operand in node.operands)
                return And(operands) if node.operator == "and" else Or(operands)
            case _:
                assert_never(node)

    def _column(self, node: syntax.Name) -> Column:
        found = self.names.column(node.name)
        if found is None:
            raise refusal(node.at, f"unknown field or feature '{node.name}'{self._remedy(node.name)}")
        return Column(found.name, found.kind)

    def _remedy(self, name: str) -> str:
        if name in self.names.lists:
            return f": it is a list, write NAME in {name}"
        if name in functions.FUNCTIONS:
            return f": it is a function, write {name}(…)"
        return suggestion(name, self.names.indexes)
