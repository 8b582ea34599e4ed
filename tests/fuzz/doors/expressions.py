"""Texts of expressions: well-formed ones of every shape, some with a part of another type, half of them damaged."""

import re
from random import Random

from app.errors import InvalidExpression
from app.expressions import printer
from app.expressions.bounds import MOST_COST
from app.expressions.cells import Row
from app.expressions.checking import checker
from app.expressions.cost import cost
from app.expressions.program import compiled, differences
from tests.fuzz.doors.door import ACCEPTED, REFUSED, TEXT, Door
from tests.fuzz.mutations import mutated
from tests.support.expressions.names import LISTS, NAMES, row

_LISTED = {name: frozenset({"a", "ecom"}) for name in LISTS}
_ROWS: list[Row] = [
    row(),
    row(travel_kmh=-0.0, count_1d=0.0, amount=0, balance=-(2**63) + 1, event_time=-1, opened_at=0, strong_auth=False),
    row(travel_kmh=1e308, count_1d=3.0, amount=2**63 - 1, balance=1, merchant="a", city="a", channel="ecom", country="DE",
        device_id="a", payee_id="", strong_auth=True, new_payee=True, event_time=1_750_000_000_000, opened_at=2**63 - 1),
]  # fmt: skip
_GRAMMAR = {
    "condition": (
        *("strong_auth", "new_payee", "merchant == city", "country != ip_country", "event_time < opened_at", "channel in ('ecom',)"),
        *("starts_with(merchant, 'e')", "in_list(payee_id, 'trusted_payees')", "is_missing(device_id)"),
        *("{condition} and {condition}", "{condition} or {condition}", "not {condition}", "({condition})", "is_missing({condition})"),
        *("{number} > {number}", "{number} == 0.5", "{money} <= {money}", "{money} != 0 EUR", "is_missing({money})"),
        *("{number} in (1, -2)", "{money} not in (5 EUR,)", "{text} == 'a'", "{text} in blocked_devices"),
    ),
    "number": (
        *("travel_kmh", "count_1d", "5", "0.5", "0", "999999999999999", "hour(event_time)", "weekday(opened_at)"),
        *("{number} + {number}", "{number} - {number}", "{number} * {number}", "{number} / {number}", "{money} / {money}"),
        *("({number})", "-{number}", "abs({number})", "min({number}, {number}, 1)", "max({number}, {number})"),
    ),
    "money": (
        *("amount", "balance", "5 EUR", "0.01 EUR", "90000000000000 EUR"),
        *("{money} + {money}", "{money} - {money}", "{money} * {number}", "{number} * {money}", "{money} / {number}"),
        *("({money})", "-{money}", "abs({money})", "max({money}, 1 EUR)"),
    ),
    "text": ("merchant", "city", "device_id", "channel", "'a'"),
}  # fmt: skip
_LEAVES = {kind: [each for each in texts if "{" not in each] for kind, texts in _GRAMMAR.items()}
_PART = re.compile(r"\{(\w+)\}")
_MOST_DEPTH = 6


def _text(random: Random, kind: str = "condition", depth: int = 0) -> str:
    """A text of a type; one part of some thirty is of any."""
    if random.random() < 0.03:
        kind = random.choice([*_GRAMMAR])
    chosen = random.choice((_LEAVES if depth == _MOST_DEPTH else _GRAMMAR)[kind])
    return _PART.sub(lambda part: _text(random, part[1], depth + 1), chosen)


def _made(random: Random) -> str:
    text = _text(random)
    if random.random() < 0.5:
        return text
    others = [_text(random).encode(), b"(" * 100, b"not " * 50, "\u202e€".encode()]
    return mutated(text.encode(), random, others).decode("utf-8", "surrogateescape")


def _is_place(error: InvalidExpression, text: str) -> bool:
    lines = text.split("\n")
    return 1 <= error.line <= len(lines) and 1 <= error.column <= len(lines[error.line - 1]) + 1


def _checked(text: str) -> str:
    """The outcome. What is accepted is computed by both back-ends and reads back; what is refused is so at a place of the text."""
    try:
        found = checker.derived(text, NAMES)
    except InvalidExpression as error:
        return REFUSED if _is_place(error, text) else "refused at no place of the text"
    assert cost(found) <= MOST_COST
    assert found == checker.derived(printer.text(found), NAMES), f"{text!r} reads back as another tree"
    assert not differences(compiled(found, NAMES), _ROWS, NAMES, _LISTED), f"{text!r} has two values"
    return ACCEPTED


EXPRESSION_DOORS = (
    Door(
        "expressions", "texts of expressions", _made, _checked, frozenset({ACCEPTED, REFUSED}), payload=TEXT
    ),
)
