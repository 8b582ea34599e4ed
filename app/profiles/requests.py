"""What each feature asks of the windows of an event: aggregates, and the flags of the events that belong to them.

Features that ask for the same aggregate share it: the same filter, field and ``same``. The sum of squares of a field also
gives its sum and its count.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from app.catalog.definitions import Feature, Function
from app.profiles import aggregates as aggregate
from app.profiles import formulas as formula
from app.profiles.functions import RECIPES, Recipe
from app.profiles.kept import FLAGS, LIVE, TIMES, Kept

_SUMS = frozenset({aggregate.COUNT, aggregate.SUM, aggregate.SQUARES})
"""Each gives the results of those before it."""
SameFlags = Mapping[tuple[str, ...], int]
"""The flag of the events that have the values of the current one in these fields."""


class Need(NamedTuple):
    """An aggregate of the other events."""

    group: int
    flags: int
    """Of the events that belong to it."""
    row: int
    includes: int
    """DISTINCT: 1 if the current event belongs to it too."""


class Request(NamedTuple):
    """A windowed feature as numbers."""

    kind: int
    """Of the formula."""
    window_ms: int
    row: int
    scale: int
    need: Need | None
    """None for the previous event, which needs no window."""
    all_need: Need | None
    """SHARE: the same without the filter."""
    includes: int
    requires: int
    """Flags without which the current event has no value of the feature."""


def is_windowed(feature: Feature) -> bool:
    """Whether a feature is computed from other events."""
    return feature.function in RECIPES


def is_previous(feature: Feature) -> bool:
    """Whether a feature takes the newest event of the whole log instead of a window."""
    plain = feature.where is None and not feature.same and not feature.window_ms
    return feature.function is Function.SECONDS_SINCE_LAST and plain


def same_fields(feature: Feature) -> tuple[str, ...]:
    """The fields whose values must equal those of the current event."""
    own = (feature.of,) if feature.function is Function.IS_NEW and feature.of else ()
    return tuple(sorted({*feature.same, *own}))


def value_field(feature: Feature) -> str | None:
    """The field whose values the feature takes of each event."""
    return feature.of if is_windowed(feature) and _recipe(feature).takes_value else None


def request(feature: Feature, kept: Kept, same: SameFlags) -> Request:
    """Return a windowed feature as numbers."""
    recipe = _recipe(feature)
    if is_previous(feature):
        return Request(formula.PREVIOUS, 0, TIMES, 1, None, None, 0, 0)
    fields, name = same_fields(feature), value_field(feature)
    column = None if name is None else kept.column(name)
    equal = same.get(fields, 0) | _union(kept.column(field).presence for field in fields)
    flags = LIVE | equal | (column.presence if column else 0)
    includes = int(feature.includes_current and not recipe.of_others)
    row = column.row if column else (TIMES if recipe.aggregate in _OF_TIMES else FLAGS)
    need = Need(
        recipe.aggregate,
        flags | kept.filter_flag(feature.where),
        row,
        includes * (recipe.aggregate == aggregate.DISTINCT),
    )
    return Request(
        kind=recipe.formula,
        window_ms=feature.window_ms,
        row=row,
        scale=10**column.decimals if column else 1,
        need=need,
        all_need=need._replace(flags=flags) if recipe.formula == formula.SHARE else None,
        includes=includes,
        requires=equal | (column.presence if column and recipe.compares else 0),
    )


_OF_TIMES = frozenset({aggregate.NEWEST, aggregate.OLDEST, aggregate.CLOCK})


def _recipe(feature: Feature) -> Recipe:
    """The recipe of a windowed feature."""
    return next(recipe for function, recipe in RECIPES.items() if function is feature.function)


def _union(flags: Iterable[int]) -> int:
    found = 0
    for each in flags:
        found |= each
    return found


def provider(need: Need, needs: Collection[Need]) -> Need:
    """The one of the needs whose aggregate gives the results of a need."""
    if need.group not in _SUMS:
        return need
    fitting = [
        other
        for other in needs
        if other.group in _SUMS
        and other.flags == need.flags
        and (other.row == need.row or need.group == aggregate.COUNT)
    ]
    return max(fitting, key=lambda other: (other.group, -other.row))
