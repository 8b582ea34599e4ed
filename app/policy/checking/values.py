"""Reads values that several parts of a policy have. A wrong one is recorded as a problem and replaced by a default."""

import re
from collections.abc import Iterable
from enum import StrEnum
from math import isfinite
from typing import TypeVar

from app.checking.problems import shown
from app.checking.table import Table
from app.errors import InvalidExpression
from app.expressions.checking import checker
from app.expressions.names import Names, suggestion
from app.expressions.tree import Money
from app.policy.bounds import MOST_TEXT_CHARACTERS

WordT = TypeVar("WordT", bound=StrEnum)
_AMOUNT = re.compile(r"[0-9][0-9.]* [A-Z]+")


def required_text(table: Table, key: str, example: str, pattern: str, meaning: str) -> str:
    """The text of a key that must match a pattern."""
    text = table.required(key, example)
    if text is not None and not re.fullmatch(pattern, text):
        table.refuse(f"'{shown(text)}' is no {key}", f"write {meaning}", at=key)
    return text or ""


def printable(table: Table, key: str, most: int = MOST_TEXT_CHARACTERS, example: str = "") -> str:
    """A text of printable characters; it must be there if an example is given."""
    text = table.required(key, example) if example else table.text(key)
    if text is not None and (not text.strip() or len(text) > most or not text.isprintable()):
        table.refuse(f"{key} has 1 to {most} printable characters", at=key)
    return text or ""


def word(table: Table, key: str, words: type[WordT], default: WordT | None = None) -> WordT | None:
    """One of several words; the default, or a problem without one, where the key is absent."""
    if key not in table and default is not None:
        return default
    values = [each.value for each in words]
    text = table.required(key, f'{key} = "{values[0]}"')
    return None if text is None else chosen(table, key, text, words)


def chosen(table: Table, key: str | tuple[str | int, ...], text: str, words: type[WordT]) -> WordT | None:
    values: Iterable[str] = [each.value for each in words]
    if text in values:
        return words(text)
    near = suggestion(shown(text), values).removeprefix("; ")
    table.refuse(f"'{shown(text)}' is not one of {', '.join(values)}", near, at=key)
    return None


def between(table: Table, key: str, least: int, most: int, default: int = 0) -> int:
    """A whole number within bounds."""
    if key not in table and not default:
        table.refuse(f"{key} is missing", f"write a whole number from {least:,} to {most:,}")
        return least
    value = table.get(key, int, default or least)
    if not least <= value <= most:
        table.refuse(f"{shown(value)} is not between {least:,} and {most:,}", at=key)
    return value


def share(table: Table, key: str, most: float, *, zero: bool = True) -> float:
    """A number from 0 to a bound, 0 itself included where it has a meaning."""
    if key not in table:
        table.refuse(f"{key} is missing", f"write a number up to {most:g}, as in {key} = {min(most, 0.05):g}")
        return 0.0
    value = table.get(key, float, 0.0 if zero else most)
    if not (isfinite(value) and (value >= 0 if zero else value > 0) and value <= most):
        table.refuse(
            f"{shown(value)} is not a number {'from' if zero else 'above'} 0 {'to' if zero else 'and up to'} {most:g}",
            at=key,
        )
        return 0.0
    return float(value)


def amount(table: Table, key: str, names: Names) -> int | None:
    """The minor units of an amount; None where it is absent or has a problem."""
    text = table.text(key)
    return None if text is None else minor_units(table, key, text, names)


def minor_units(table: Table, key: str | tuple[str | int, ...], text: str, names: Names) -> int | None:
    """The minor units of an amount such as 100 EUR."""
    try:
        found = checker.derived(text, names) if _AMOUNT.fullmatch(text) else None
    except InvalidExpression as error:
        table.refuse(str(error).partition(": ")[2], at=key)
        return None
    if isinstance(found, Money):
        return found.value
    table.refuse(f"'{shown(text)}' is no amount", f'write one as in "100 {names.currency}"', at=key)
    return None
