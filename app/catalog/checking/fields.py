"""Checks the declared fields of transactions: ``[fields]`` of a catalog."""

from collections.abc import Mapping

from app.catalog.bounds import (
    MOST_DECIMALS,
    MOST_FIELD_CHARACTERS,
    MOST_FIELDS,
    MOST_IDENTIFIER_CHARACTERS,
    MOST_SCALED,
    MOST_VALUE_CHARACTERS,
    MOST_VALUES,
)
from app.catalog.checking.known import check_name
from app.catalog.contract import CONTRACT
from app.catalog.definitions import Field
from app.checking.problems import remedy, shown
from app.checking.table import Table
from app.expressions.names import Kind

OPTIONS: Mapping[Kind, tuple[str, ...]] = {
    Kind.NUMBER: ("minimum", "maximum", "decimals"),
    Kind.MONEY: (),
    Kind.TEXT: ("max_length",),
    Kind.IDENTIFIER: ("max_length",),
    Kind.CATEGORY: ("values",),
    Kind.BOOLEAN: (),
    Kind.TIME: (),
}
"""Keys of a field besides ``type`` and ``required``, by type."""
_ALL = ("type", "required", *dict.fromkeys(key for keys in OPTIONS.values() for key in keys))
_LONGEST = {Kind.TEXT: MOST_FIELD_CHARACTERS, Kind.IDENTIFIER: MOST_IDENTIFIER_CHARACTERS}


def fields(file: Table) -> dict[str, Field | None]:
    """The fields of the contract, then the declared ones; None for one with a problem."""
    found: dict[str, Field | None] = {field.name: field for field in CONTRACT}
    count = 0
    for count, (name, table) in enumerate(file.tables("fields"), start=1):
        field = _field(table, name) if count <= MOST_FIELDS else None
        if name not in found:
            found[name] = field if table.is_sound else None
    if count > MOST_FIELDS:
        file.refuse(f"{count} fields; at most {MOST_FIELDS} can be declared", at="fields")
    return found


def _field(table: Table, name: str) -> Field | None:
    check_name(table, name, (), "field")
    kind = _kind(table)
    if kind is None:
        return None
    for key in _ALL[2:]:
        if key in table and key not in OPTIONS[kind]:
            allowed = ", ".join(OPTIONS[kind]) or "no key but required"
            table.refuse(f"a field of type {kind} has no {key}", f"it has {allowed}", at=key)
    longest = _LONGEST.get(kind, 0)
    limits = _range(table) if kind is Kind.NUMBER else {}
    return Field(
        name=name,
        kind=kind,
        values=_values(table) if kind is Kind.CATEGORY else (),
        max_length=_between(table, "max_length", 1, longest, min(longest, 64)) if longest else 64,
        decimals=_between(table, "decimals", 0, MOST_DECIMALS, 0),
        required=table.get("required", bool, False),
        minimum=limits.get("minimum"),
        maximum=limits.get("maximum"),
    )


def _kind(table: Table) -> Kind | None:
    table.expect(*_ALL)
    name = table.required("type", 'type = "identifier"')
    if name is None or name in OPTIONS:
        return None if name is None else Kind(name)
    table.refuse(f"unknown type '{shown(name)}'", remedy(name, OPTIONS), at="type")
    return None


def _between(table: Table, key: str, least: int, most: int, default: int) -> int:
    value = table.get(key, int, default)
    if not least <= value <= most:
        table.refuse(f"{shown(value)} is not between {least} and {most}", at=key)
    return value


def _range(table: Table) -> dict[str, float | None]:
    """Minimum and maximum of a number. Scaled by its decimals, both are whole numbers that windows can add up."""
    found = {key: _limit(table, key) for key in ("minimum", "maximum")}
    low, high = found["minimum"], found["maximum"]
    if low is not None and high is not None and low >= high:
        table.refuse("the minimum is not below the maximum", at="minimum")
    return found


def _limit(table: Table, key: str) -> float | None:
    if key not in table:
        return None
    value, decimals = table.get(key, float, 0.0), table.get("decimals", int, 0)
    largest = MOST_SCALED / 10 ** min(max(decimals, 0), MOST_DECIMALS)
    if abs(value) <= largest:
        return float(value)
    remedy = "write fewer decimals or a narrower range" if decimals else "write a narrower range"
    table.refuse(
        f"{shown(value)} is beyond {largest:,.0f}, the largest with {decimals} decimals", remedy, at=key
    )
    return None


def _values(table: Table) -> tuple[str, ...]:
    given, remedy = table.get("values", list, []), 'write them, as in values = ["chip", "keyed"]'
    if "values" not in table:
        table.refuse("a category needs its values", remedy)
    elif not given and table.has("values", list):
        table.refuse("a category needs at least one value", remedy, at="values")
    elif len(given) > MOST_VALUES:
        remedy = "declare an identifier or a text"
        table.refuse(f"{len(given)} values; a category has at most {MOST_VALUES}", remedy, at="values")
        return ()
    values = table.texts("values") or ()
    for index, value in enumerate(values):
        _check_value(table, index, value, values)
    return values


def _check_value(table: Table, index: int, value: str, values: tuple[str, ...]) -> None:
    at = ("values", index)
    if not value or len(value) > MOST_VALUE_CHARACTERS or not value.isprintable():
        expected = f"1 to {MOST_VALUE_CHARACTERS} printable characters are expected"
        table.refuse(f"'{shown(value)}' is no value: {expected}", at=at)
    elif value in values[:index]:
        table.refuse(f"the value '{shown(value)}' occurs twice", "remove one", at=at)
