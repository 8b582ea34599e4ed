"""Checks numbers, amounts and arithmetic."""

from decimal import Decimal

from app.domain.money import minor_digits, to_minor
from app.expressions import kinds
from app.expressions.bounds import MOST_INTEGER
from app.expressions.checking.scope import Scope, described, quantity
from app.expressions.names import Kind, Names
from app.expressions.parsing import syntax
from app.expressions.position import refusal
from app.expressions.tree import Apply, Money, Number, Operation

_NUMBER, _MONEY = Kind.NUMBER, Kind.MONEY
_ARITHMETIC = {
    ("+", _NUMBER, _NUMBER): (Operation.ADD, _NUMBER),
    ("-", _NUMBER, _NUMBER): (Operation.SUBTRACT, _NUMBER),
    ("*", _NUMBER, _NUMBER): (Operation.MULTIPLY, _NUMBER),
    ("/", _NUMBER, _NUMBER): (Operation.DIVIDE, _NUMBER),
    ("+", _MONEY, _MONEY): (Operation.ADD_MONEY, _MONEY),
    ("-", _MONEY, _MONEY): (Operation.SUBTRACT_MONEY, _MONEY),
    ("*", _MONEY, _NUMBER): (Operation.SCALE_MONEY, _MONEY),
    ("/", _MONEY, _NUMBER): (Operation.SHARE_MONEY, _MONEY),
    ("/", _MONEY, _MONEY): (Operation.RATIO, _NUMBER),
}
_REFUSED = {
    "+": "{left} and {right} cannot be added",
    "-": "{right} cannot be subtracted from {left}",
    "*": "{left} cannot be multiplied by {right}",
    "/": "{left} cannot be divided by {right}",
}


def money(node: syntax.MoneyLiteral, names: Names) -> Money:
    """The amount in minor units of the reference currency."""
    if node.currency != names.currency:
        raise refusal(node.currency_at, f"amounts are in {names.currency}, not in {node.currency}")
    try:
        minor = to_minor(Decimal(node.digits), node.currency)
    except ValueError as error:
        decimals = minor_digits(node.currency)
        raise refusal(node.at, f"{node.currency} has {decimals} decimals, not more") from error
    if minor > MOST_INTEGER:
        raise refusal(node.at, "the amount is larger than any that can be computed with")
    return Money(minor, node.currency)


def signed(scope: Scope, node: syntax.Signed) -> Apply:
    operand = quantity(scope, node.operand)
    if kinds.kind(operand) is Kind.TIME:
        raise refusal(node.operand.at, "a time has no sign")
    return Apply(Operation.NEGATE, (operand,), kinds.kind(operand))


def arithmetic(scope: Scope, node: syntax.Arithmetic) -> Apply:
    left, right = quantity(scope, node.left), quantity(scope, node.right)
    if node.operator == "*" and kinds.kind(right) is Kind.MONEY and kinds.kind(left) is Kind.NUMBER:
        left, right = right, left
    sides = (kinds.kind(left), kinds.kind(right))
    if (node.operator, *sides) not in _ARITHMETIC:
        message = _REFUSED[node.operator].format(left=described(sides[0]), right=described(sides[1]))
        remedy = currency_missing(sides, scope.names) if node.operator in "+-" else ""
        raise refusal(node.right.at, message + remedy)
    operation, kind = _ARITHMETIC[node.operator, *sides]
    return Apply(operation, (left, right), kind)


def currency_missing(sides: tuple[Kind, Kind], names: Names) -> str:
    """The remedy for a number that is compared or added to money; empty for other pairs of types."""
    mixed = set(sides) == {_NUMBER, _MONEY}
    return f": write an amount with its currency, as in 100 {names.currency}" if mixed else ""


def literal(scope: Scope, node: syntax.Syntax, kind: Kind) -> Number | Money:
    """The value of a literal number or amount, with a sign or without."""
    sign, inner = (-1, node.operand) if isinstance(node, syntax.Signed) else (1, node)
    if isinstance(inner, syntax.MoneyLiteral):
        found: Number | Money = Money(sign * money(inner, scope.names).value, scope.names.currency)
    elif isinstance(inner, syntax.NumberLiteral):
        # Plus zero: a literal -0 is the same value as 0.
        found = Number(sign * float(inner.digits) + 0.0)
    else:
        raise refusal(node.at, "a number or an amount is expected here, as in (1, 2)")
    if kinds.kind(found) is not kind:
        raise refusal(node.at, not_compared((kind, kinds.kind(found)), scope.names))
    return found


def not_compared(sides: tuple[Kind, Kind], names: Names) -> str:
    """The message about operands of two types."""
    left, right = map(described, sides)
    return f"{left} cannot be compared with {right}{currency_missing(sides, names)}"
