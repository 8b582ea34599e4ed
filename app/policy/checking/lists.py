"""Checks the declared lists, and what conditions look up in them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from app.checking.table import Table
from app.errors import ConfigurationError
from app.expressions.names import Field, Kind, Names
from app.policy.bounds import MOST_LISTS
from app.policy.checking.values import word
from app.policy.definitions import DeclaredList


class ListKind(StrEnum):
    """The type of the columns that are looked up in a list. Categories are looked up in lists of texts."""

    IDENTIFIER = "identifier"
    TEXT = "text"


class Scope(NamedTuple):
    """What conditions may name."""

    names: Names
    lists: Mapping[str, DeclaredList | None]
    """None stands for a list with a problem of its own: what uses it is not refused once more."""


def declared(file: Table, names: Names) -> dict[str, DeclaredList | None]:
    """The lists by name."""
    found: dict[str, DeclaredList | None] = {}
    for name, table in file.tables("lists"):
        table.expect("kind", "meaning")
        _check_name(table, name, names)
        kind = word(table, "kind", ListKind)
        found[name] = DeclaredList(name=name, kind=Kind(kind)) if kind and table.is_sound else None
    if len(found) > MOST_LISTS:
        file.refuse(f"{len(found)} lists; at most {MOST_LISTS} are allowed", at="lists")
    return found


def _check_name(table: Table, name: str, names: Names) -> None:
    try:
        Names((Field(name, Kind.NUMBER),), names.currency)
    except ConfigurationError as error:
        table.refuse(str(error))
        return
    if names.column(name) is not None:
        table.refuse(f"'{name}' is a field or feature of the catalog", "choose another name for the list")
