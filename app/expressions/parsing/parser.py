"""Parses tokens by precedence: each operator binds as in Python, weakest first: or, and, not, comparisons and in, + -, * /, sign."""

from app.expressions.bounds import MOST_DEPTH, MOST_NODES, MOST_VALUES
from app.expressions.parsing import syntax
from app.expressions.parsing.syntax import Syntax
from app.expressions.parsing.token_stream import TokenStream
from app.expressions.parsing.tokens import Token, TokenKind
from app.expressions.position import Position, refusal

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_NOT, _COMPARED, _SIGN = 3, 4, 7
_BINDING = {"or": 1, "and": 2, "in": _COMPARED, "not": _COMPARED, "+": 5, "-": 5, "*": 6, "/": 6} | dict.fromkeys(
    _COMPARISONS, _COMPARED
)  # fmt: skip
"""How strongly an operator between two operands binds; ``not`` begins ``not in`` there."""


def parse(text: str) -> Syntax:
    """Return the syntax of an expression. Raises InvalidExpression with line and column."""
    tokens = TokenStream(text)
    found = _Parser(tokens).expression(0)
    tokens.require_end()
    return found


class _Parser:
    def __init__(self, tokens: TokenStream) -> None:
        self._tokens = tokens
        self._depth = 0
        self._nodes = 0

    def expression(self, binding: int) -> Syntax:
        """Parse operands and operators as far as these bind more strongly than ``binding``."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise refusal(self._tokens.next.at, f"nested deeper than {MOST_DEPTH} levels")
        left = self._operand(binding)
        while (stronger := _BINDING.get(self._tokens.next.symbol, 0)) > binding:
            left = self._joined(left, stronger)
        self._depth -= 1
        return left

    def _operand(self, binding: int) -> Syntax:
        token = self._tokens.take()
        self._count(token.at)
        if token.kind is TokenKind.TEXT:
            return syntax.TextLiteral(token.at, token.text)
        if token.kind is TokenKind.NUMBER:
            return self._number(token)
        if token.kind is TokenKind.NAME:
            return self._call(token) if self._tokens.takes("(") else syntax.Name(token.at, token.text)
        if token.symbol == "(":
            return self._parenthesised()
        if token.symbol == "-":
            return syntax.Signed(token.at, self.expression(_SIGN))
        if token.symbol == "not" and binding <= _NOT:
            return syntax.Negated(token.at, self.expression(_NOT))
        if token.symbol == "not":
            raise refusal(token.at, "'not' is weaker than the operator before it: put it in parentheses")
        raise refusal(token.at, f"a value is expected here, not {token}")

    def _joined(self, left: Syntax, binding: int) -> Syntax:
        token = self._tokens.take()
        self._count(token.at)
        if token.symbol in {"in", "not"}:
            return self._membership(left, negated=token.symbol == "not")
        right = self.expression(binding)
        if token.symbol in {"and", "or"}:
            return _logic(token.symbol, left, right)
        if token.symbol in _COMPARISONS:
            self._refuse_chain()
            return syntax.Comparison(left.at, token.symbol, left, right)
        return syntax.Arithmetic(left.at, token.symbol, left, right)

    def _refuse_chain(self) -> None:
        if _BINDING.get(self._tokens.next.symbol) == _COMPARED:
            raise refusal(self._tokens.next.at, "comparisons are not chained: write a < b and b < c")

    def _number(self, token: Token) -> Syntax:
        if self._tokens.next.kind is not TokenKind.NAME:
            return syntax.NumberLiteral(token.at, token.text)
        currency = self._tokens.take()
        return syntax.MoneyLiteral(token.at, token.text, currency.text, currency.at)

    def _parenthesised(self) -> Syntax:
        inner = self.expression(0)
        if self._tokens.next.symbol == ",":
            raise refusal(self._tokens.next.at, "values in parentheses stand only after in")
        self._tokens.require(")")
        return inner

    def _call(self, name: Token) -> Syntax:
        return syntax.Call(name.at, name.text, () if self._tokens.takes(")") else self._arguments())

    def _arguments(self) -> tuple[Syntax, ...]:
        """Parse what is between parentheses, a comma before the closing one allowed."""
        found = [self.expression(0)]
        while self._tokens.takes(",") and self._tokens.next.symbol != ")":
            found.append(self.expression(0))
        self._tokens.require(")")
        return tuple(found)

    def _membership(self, operand: Syntax, *, negated: bool) -> Syntax:
        if negated:
            self._tokens.require("in")
        token = self._tokens.next
        among = self._among()
        self._refuse_chain()
        if isinstance(among, tuple) and len(among) > MOST_VALUES:
            raise refusal(token.at, f"{len(among)} values; more than {MOST_VALUES} belong in a list")
        return syntax.Membership(operand.at, operand, among, negated)

    def _among(self) -> tuple[Syntax, ...] | syntax.Name:
        token = self._tokens.take()
        if token.kind is TokenKind.NAME:
            return syntax.Name(token.at, token.text)
        if token.symbol != "(":
            raise refusal(
                token.at, f"the name of a list, or values in parentheses, are expected here, not {token}"
            )
        return self._arguments()

    def _count(self, at: Position) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise refusal(at, f"more than {MOST_NODES} operators and operands")


def _logic(operator: str, left: Syntax, right: Syntax) -> Syntax:
    """Join operands; ``(a and b) and c`` and ``a and (b and c)`` are one node each, with three operands."""
    operands = tuple(
        operand
        for side in (left, right)
        for operand in (
            side.operands if isinstance(side, syntax.Logic) and side.operator == operator else (side,)
        )
    )
    return syntax.Logic(left.at, operator, operands)
