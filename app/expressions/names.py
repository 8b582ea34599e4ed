"""What an expression may name: columns with their types, lists, the reference currency and the time zone."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property
from keyword import iskeyword

import msgspec

from app.errors import ConfigurationError
from app.expressions.bounds import MOST_NAME_CHARACTERS, MOST_TEXT_CHARACTERS
from app.expressions.zone import UTC, Zone

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Kind(StrEnum):
    """The type of a value."""

    NUMBER = "number"
    """A finite double, in the unit that the name of its column states."""
    MONEY = "money"
    """Whole minor units of the reference currency."""
    TEXT = "text"
    CATEGORY = "category"
    """A text that is one of the declared values."""
    IDENTIFIER = "identifier"
    BOOLEAN = "boolean"
    TIME = "time"
    """Milliseconds since the epoch, UTC."""


TEXTUAL = frozenset({Kind.TEXT, Kind.CATEGORY, Kind.IDENTIFIER})


class Field(msgspec.Struct, frozen=True):
    """A column: a field of the transaction, or a feature."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """Of a category."""


class Names(msgspec.Struct, frozen=True, dict=True):
    """Everything that an expression may name. Rows have the columns in this order.

    Raises ConfigurationError for a name that could not be written in an expression, or that stands for two things.
    """

    columns: tuple[Field, ...]
    currency: str
    """Reference currency of all money."""
    lists: tuple[str, ...] = ()
    list_kinds: tuple[Kind, ...] = ()
    """The type of the columns that are looked up in each list, of texts for categories too; without them any text is."""
    zone: Zone = UTC
    """Time zone of ``hour`` and ``weekday``."""

    def __post_init__(self) -> None:
        names = [*(column.name for column in self.columns), *self.lists]
        for name in names:
            _check_name(name)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigurationError(
                f"the name {twice} stands for two things: rename a field, feature or list"
            )
        if not _CURRENCY.fullmatch(self.currency):
            raise ConfigurationError(f"{self.currency} is no currency: three capital letters are expected")
        for column in self.columns:
            _check_values(column)

    @cached_property
    def indexes(self) -> Mapping[str, int]:
        """The index of each column in a row."""
        return {column.name: index for index, column in enumerate(self.columns)}

    def column(self, name: str) -> Field | None:
        """The column of this name, if there is one."""
        index = self.indexes.get(name)
        return None if index is None else self.columns[index]


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name.

    >>> suggestion("amout", ["amount", "country"]), suggestion("x", ["amount"])
    ("; did you mean 'amount'?", '')
    """
    lower = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), lower, n=1)
    return f"; did you mean '{lower[near[0]]}'?" if near else ""


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or iskeyword(name) or len(name) > MOST_NAME_CHARACTERS:
        raise ConfigurationError(
            f"'{name}' is no name for a field, feature or list: at most {MOST_NAME_CHARACTERS} letters, digits and "
            "underscores, no digit first, no keyword of Python"
        )


def _check_values(column: Field) -> None:
    if (column.kind is Kind.CATEGORY) != bool(column.values):
        raise ConfigurationError(f"{column.name}: a category, and nothing else, has values")
    for value in column.values:
        if not value.isprintable() or len(value) > MOST_TEXT_CHARACTERS:
            raise ConfigurationError(f"{column.name}: '{value}' is no value that an expression can name")
