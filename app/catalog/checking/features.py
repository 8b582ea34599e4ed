"""Checks the features: ``[[features]]``. ``windows`` checks what they see of the past, ``conditions`` their expressions."""

from collections.abc import Collection

import msgspec

from app.catalog import wording
from app.catalog.bounds import MOST_FEATURES, MOST_FILTERS, MOST_MEANING_CHARACTERS, MOST_UNIT_CHARACTERS
from app.catalog.checking import filters, windows
from app.catalog.checking.conditions import derive, where
from app.catalog.checking.known import Known, check_name
from app.catalog.definitions import TRANSACTION, Feature, Function
from app.catalog.functions import FUNCTIONS, value_kind
from app.checking.problems import remedy, shown
from app.checking.table import Table
from app.expressions.names import Kind

_OF_ALL = ("name", "meaning", "unit")
_OF_FUNCTIONS = ("entity", "function", "of", "where", "window", "delay", "same", "current")
_UNITS = {Kind.MONEY: "minor units", Kind.BOOLEAN: "0 or 1"}


def check_features(file: Table, known: Known) -> None:
    """Add the features to what is known, in order; None for one with a problem."""
    names = file.texts_of_items("features", "name")
    filters, count = set(), 0
    for count, table in enumerate(file.items("features"), start=1):
        if count <= MOST_FEATURES:
            feature = _check_feature(table, known, names)
            filters.add(feature and feature.where)
    if count > MOST_FEATURES or (not count and file.raw("features") in (None, [])):
        file.refuse(f"{count} features; a catalog has 1 to {MOST_FEATURES}", at="features")
    if len(filters - {None}) > MOST_FILTERS:
        count = len(filters - {None})
        file.refuse(f"{count} different filters; at most {MOST_FILTERS} are allowed", at="features")


def _check_feature(table: Table, known: Known, names: Collection[str]) -> Feature | None:
    name = _name(table, known)
    feature = _feature(table, name, known, names)
    if name not in known.features or table.is_sound:
        known.features[name] = feature if table.is_sound else None
    return feature


def _name(table: Table, known: Known) -> str:
    name = table.required("name", 'name = "customer_count_1h"')
    if name is not None:
        check_name(table, name, {*known.fields, *known.features}, "feature", at="name")
    return name or ""


def _feature(table: Table, name: str, known: Known, names: Collection[str]) -> Feature | None:
    table.expect(*_OF_ALL, *_OF_FUNCTIONS, "derive")
    found = _derived(table, name, known, names) if "derive" in table else _computed(table, name, known, names)
    return None if found is None else _described(table, found, known)


def _derived(table: Table, name: str, known: Known, names: Collection[str]) -> Feature | None:
    for key in filter(table.__contains__, _OF_FUNCTIONS):
        table.refuse(
            f"a derived feature has no {key}", "remove it, or write function in place of derive", at=key
        )
    tree = derive(table, known, names)
    return None if tree is None else Feature(name=name, entity=TRANSACTION, derive=tree)


def _computed(table: Table, name: str, known: Known, names: Collection[str]) -> Feature | None:
    function = table.required("function", 'function = "count"')
    if function is None or function not in FUNCTIONS:
        if function is not None:
            table.refuse(f"unknown function '{shown(function)}'", remedy(function, FUNCTIONS), at="function")
        return None
    chosen = windows.choose(table, Function(function), known)
    of = filters.field_of(chosen, known)
    return Feature(
        name=name,
        entity=chosen.entity,
        function=chosen.function,
        of=of.name if of else None,
        window_ms=windows.window_ms(chosen),
        delay_ms=windows.delay_ms(chosen),
        same=filters.same(chosen, known),
        includes_current=filters.includes_current(chosen),
        where=where(table, known, names) if filters.may_have_where(chosen) else None,
    )


def _described(table: Table, feature: Feature, known: Known) -> Feature:
    """The feature with its unit and meaning, and when it is missing."""
    return msgspec.structs.replace(
        feature,
        unit=_unit(table, feature, known),
        meaning=_text(table, "meaning", MOST_MEANING_CHARACTERS) or wording.meaning(feature),
        missing=wording.missing(feature, known.fields, known.entities.get(feature.entity)),
    )


def _unit(table: Table, feature: Feature, known: Known) -> str:
    """The unit of the function or of the type; a plain number has the one that the catalog gives."""
    fixed = FUNCTIONS[feature.function].unit if feature.function else None
    unit = fixed or _UNITS.get(value_kind(feature, known.fields))
    given = _text(table, "unit", MOST_UNIT_CHARACTERS)
    if unit is not None and given and given != unit:
        table.refuse(f"the unit of {feature.name} is {unit}", "remove the key", at="unit")
    return unit or given or "1"


def _text(table: Table, key: str, most: int) -> str:
    text = table.text(key)
    if text is not None and (not text.strip() or len(text) > most or not text.isprintable()):
        table.refuse(f"{key} has 1 to {most} printable characters", at=key)
    return text or ""
