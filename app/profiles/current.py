"""The features that need no window: values of the current event, and values derived from fields and earlier features."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from app.catalog.definitions import Feature, Function
from app.expressions import program, tree
from app.expressions.names import Field, Kind, Names
from app.expressions.vector.columns import Chunk, ChunkColumn, Texts, Truth, integers, numbers
from app.profiles.aggregates import DAY_MS, Integers
from app.profiles.fold import Doubles
from app.profiles.inputs import field_names
from app.profiles.plan import Plan, columns

_HOUR_MS = 3_600_000
_EPOCH_WEEKDAY, _SATURDAY = 3, 5  # 1970-01-01 was a Thursday; Monday is 0


class Events(NamedTuple):
    """A chunk of events, and the features that are known of them."""

    chunk: Chunk
    """The fields of the catalog, in its order."""
    time_ms: Integers
    known: Mapping[str, Doubles]
    """By name."""


Column = Callable[[Events], Doubles]


def current_columns(plan: Plan) -> list[tuple[int, Column]]:
    """Return index and function of the features that need no window, in the order of the plan."""
    names = _names(plan)
    return [
        (index, column)
        for index, feature in enumerate(plan.features)
        if (column := _column(feature, names)) is not None
    ]


def _column(feature: Feature, names: Names) -> Column | None:
    if feature.derive is not None:
        return _derived(feature.derive, names)
    if feature.function is Function.VALUE:
        return partial(_value, names.indexes[str(feature.of)])
    if feature.function is Function.TIME_OF_DAY:
        return lambda events: events.time_ms % DAY_MS / _HOUR_MS
    if feature.function is Function.WEEKEND:
        return lambda events: ((events.time_ms // DAY_MS + _EPOCH_WEEKDAY) % 7 >= _SATURDAY).astype(
            np.float64
        )
    return None


def _value(index: int, events: Events) -> Doubles:
    return _doubles(events.chunk.columns[index])


def _names(plan: Plan) -> Names:
    """The fields, then the features that derived ones name."""
    fields = field_names(plan)
    derived = (feature.derive for feature in plan.features if feature.derive is not None)
    named = {column.name: column.kind for found in derived for column in columns(found)}
    features = [Field(name, kind) for name, kind in named.items() if name not in fields.indexes]
    return Names((*fields.columns, *features), fields.currency)


def _derived(found: tree.Quantity | tree.Condition, names: Names) -> Column:
    compiled = program.compiled(found, names)

    def derived(events: Events) -> Doubles:
        known = [
            _chunk_column(events.known[each.name], each.kind)
            for each in names.columns[len(events.chunk.columns) :]
        ]
        return _doubles(compiled.many(Chunk([*events.chunk.columns, *known], events.chunk.rows), {}))

    return derived


def _chunk_column(values: Doubles, kind: Kind) -> ChunkColumn:
    """A feature as a column of an expression; NaN is missing."""
    if kind is Kind.BOOLEAN:
        return Truth(values == 1, values == 0)
    if kind is Kind.NUMBER:
        return numbers(values)
    present = np.isfinite(values)
    return integers(np.rint(np.where(present, values, 0)).astype(np.int64), present)


def _doubles(found: ChunkColumn) -> Doubles:
    """A column as a feature; NaN where missing."""
    if isinstance(found, Texts):
        raise TypeError("a text is no feature")
    if isinstance(found, Truth):
        return np.where(found.true, 1.0, np.where(found.false, 0.0, np.nan))
    return np.where(found.present, found.data.astype(np.float64), np.nan)
