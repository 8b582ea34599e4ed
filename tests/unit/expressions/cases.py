"""Texts that are refused, with line, column and message: those of ``hostile.toml``, and those beyond a bound."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.errors import InvalidExpression
from app.expressions.checking import checker
from app.expressions.names import Kind, Names
from app.expressions.tree import Tree
from tests.support.expressions.names import NAMES

CHILEAN = msgspec.structs.replace(NAMES, currency="CLF")
"""Amounts with four decimals."""
TYPED = msgspec.structs.replace(NAMES, list_kinds=(Kind.IDENTIFIER, Kind.TEXT))
"""Lists of devices and, though their name says payees, of texts."""


class Case(NamedTuple):
    text: str
    line: int
    column: int
    message: str
    names: Names = NAMES
    check: Callable[[str, Names], Tree] = checker.condition

    def refusal(self) -> InvalidExpression | None:
        """The error that the text raises."""
        try:
            self.check(self.text, self.names)
        except InvalidExpression as error:
            return error
        return None

    @property
    def expected(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


def hostile() -> list[Case]:
    file = tomllib.loads(Path(__file__).with_name("hostile.toml").read_text(encoding="utf-8"))
    return [
        Case(case["text"], int(line), int(column), case["message"])
        for case in file["refused"]
        for line, column in [case["at"].split(":")]
    ]


DEEP = "nested deeper than 40 levels"
SUM = f"{DEEP}: a long sum counts a level for each operator"
LONG = (
    Case("a" * 4_001, 1, 1, "the expression has 4001 characters; at most 4000 are allowed"),
    Case("a" * 65, 1, 1, "a name of 65 characters; at most 64 are allowed"),
    Case(f"merchant == '{'a' * 257}'", 1, 13, "a text of 257 characters; at most 256 are allowed"),
    Case(" and ".join(["new_payee"] * 251), 1, 3_501, "more than 500 operators and operands"),
    Case(f"count_1d in ({'1,' * 201})", 1, 13, "201 values; more than 200 belong in a list"),
    Case("(" * 41 + "strong_auth" + ")" * 41, 1, 41, DEEP),
    Case("(" * 4_000, 1, 41, DEEP),
    Case("not " * 41 + "strong_auth", 1, 161, DEEP),
    Case("-" * 4_000, 1, 41, DEEP),
    Case("abs(" * 41 + "count_1d" + ")" * 41, 1, 161, DEEP),
    Case("1 + (" * 800, 1, 101, DEEP),
    Case("1" + "+1" * 41 + " > 1", 1, 1, SUM),
    Case("(" * 38 + "count_1d in (1,)" + ") in (1,)" * 38, 1, 39, "a number or money is expected here, not a boolean"),
    Case("hour(event_time) > 1 or " * 70 + "new_payee", 1, 1, "the expression costs 562 units a row; at most 500 are allowed"),
    Case("amount > 999999999999999 CLF", 1, 10, "the amount is larger than any that can be computed with", CHILEAN),
    Case("merchant", 1, 1, "a number, money, a time or a condition is expected here, not a text", check=checker.derived),
    Case("\ud800", 1, 1, r"the character '\ud800' (U+D800) is not part of expressions outside of texts"),
    Case("merchant == '\udfff'", 1, 14, r"a text has only printable characters, not '\udfff'"),
    Case("device_id in blocked", 1, 14, "unknown list 'blocked'; no list is known here", msgspec.structs.replace(NAMES, lists=())),
    Case("merchant in blocked_devices", 1, 1, "merchant is a text, the entries of blocked_devices are identifiers", TYPED),
    Case("device_id in trusted_payees", 1, 1, "device_id is an identifier, the entries of trusted_payees are texts", TYPED),
)  # fmt: skip
