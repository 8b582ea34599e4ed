"""What state must keep for a feature: the events of its window, with some columns and filters of each.

A feature can be computed at once from the state of another catalog that keeps all it needs. Otherwise events are read from the log
again, from the beginning of its window.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.catalog import durations
from app.catalog.bounds import HORIZON_MS
from app.catalog.definitions import TRANSACTION, Catalog, Feature, Field, Function
from app.expressions import printer
from app.expressions.names import Kind
from app.expressions.tree import named

_PLACE = "the last place"
"""It may be older than every event that is kept."""


class Owner(NamedTuple):
    """Whose state it is."""

    key: tuple[str, ...]
    """The fields that name the entity, sorted."""
    is_delayed: bool
    """Of delayed features, apart from profiles."""


class Need(NamedTuple):
    """What is kept of the events of one owner."""

    parts: frozenset[str] = frozenset()
    """Columns and filters, in words."""
    reach_ms: int = 0
    """Age of the oldest event."""


Needs = Mapping[Owner, Need]


def needs(catalog: Catalog) -> dict[str, Needs]:
    """What each feature needs, by name; nothing for one of the current transaction alone."""
    fields = {field.name: field for field in catalog.fields}
    keys = {entity.name: tuple(sorted(entity.key)) for entity in catalog.entities}
    found: dict[str, Needs] = {}
    for feature in catalog.features:
        if feature.derive is not None:
            used = sorted(named(feature.derive) - fields.keys())
            found[feature.name] = union(found[name] for name in used)
        elif feature.entity == TRANSACTION:
            found[feature.name] = {}
        else:
            owner = Owner(keys[feature.entity], feature.delay_ms > 0)
            found[feature.name] = {owner: _need(feature, fields)}
    return found


def union(needed: Iterable[Needs]) -> Needs:
    """What is kept for several features together."""
    found: dict[Owner, Need] = {}
    for each in needed:
        for owner, need in each.items():
            other = found.get(owner, Need())
            found[owner] = Need(other.parts | need.parts, max(other.reach_ms, need.reach_ms))
    return found


def lacking(needed: Needs, kept: Needs) -> list[str]:
    """What is needed and not kept, in words."""
    found = []
    for owner, need in needed.items():
        if owner not in kept:
            found.append(
                f"{'labels and ' if owner.is_delayed else ''}transactions of {' and '.join(owner.key)}"
            )
            continue
        found += sorted(need.parts - kept[owner].parts)
        if need.reach_ms > kept[owner].reach_ms:
            before = durations.text(kept[owner].reach_ms) if kept[owner].reach_ms else "the newest"
            found.append(f"transactions of {durations.text(need.reach_ms)}, not of {before}")
    return found


def reach_ms(needed: Needs) -> int:
    """Age of the oldest transaction from which all that is needed can be computed."""
    ages = (HORIZON_MS if _PLACE in need.parts else need.reach_ms for need in needed.values())
    return max(ages, default=0)


def _need(feature: Feature, fields: Mapping[str, Field]) -> Need:
    if feature.function is Function.TRAVEL_KMH:
        return Need(frozenset({_PLACE}))
    columns = [*feature.same, *([feature.of] if feature.of else [])]
    parts = {_column(fields[name]) for name in columns}
    if feature.where is not None:
        parts.add(f"the filter {printer.text(feature.where)}")
    return Need(frozenset(parts), feature.window_ms + feature.delay_ms)


def _column(field: Field) -> str:
    decimals = f" with {field.decimals} decimals" if field.kind is Kind.NUMBER else ""
    return f"the {field.kind} {field.name}{decimals}"
