"""What a catalog file has defined so far: the names that later parts may use."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from app.catalog.contract import CONTRACT, RESERVED
from app.catalog.definitions import Entity, Feature, Field
from app.checking.problems import remedy, shown
from app.checking.table import Table
from app.errors import ConfigurationError
from app.expressions.names import Field as Column
from app.expressions.names import Kind, Names

NO_CURRENCY = "XXX"
"""Of names that no expression with money is read with."""


class Known(NamedTuple):
    """Definitions by name. None stands for one with a problem of its own: what uses it is not refused once more."""

    currency: str
    """Empty where it has a problem."""
    fields: dict[str, Field | None]
    entities: dict[str, Entity | None]
    features: dict[str, Feature | None]

    def field(self, table: Table, name: str, at: str | tuple[str | int, ...]) -> Field | None:
        """The field that a table names; it refuses one that does not exist."""
        if name not in self.fields:
            table.refuse(f"unknown field '{shown(name)}'", remedy(name, self.fields), at=at)
        return self.fields.get(name)

    def has_problem(self, name: str) -> bool:
        """Whether a name is defined, with a problem of its own."""
        return any(name in defined and defined[name] is None for defined in (self.fields, self.features))


def check_name(table: Table, name: str, taken: Collection[str], what: str, at: str = "") -> None:
    """Refuse a name that expressions could not use, or that something else has."""
    path = at or ()
    try:
        Names((Column(name, Kind.NUMBER),), NO_CURRENCY)
    except ConfigurationError as error:
        table.refuse(str(error).replace(name, shown(name), 1), at=path)
        return
    if name in {field.name for field in CONTRACT} | RESERVED:
        table.refuse(
            f"the contract of transactions and labels has a field '{name}'",
            f"choose another name for the {what}",
            at=path,
        )
    elif name in taken:
        table.refuse(f"'{name}' is defined twice", f"choose another name for one {what}", at=path)


def columns(fields: Iterable[Field | None]) -> list[Column]:
    """The fields as columns of expressions."""
    return [Column(field.name, field.kind, field.values) for field in fields if field is not None]
