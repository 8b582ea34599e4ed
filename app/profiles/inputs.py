"""From a chunk of fields to the whole numbers and flags that the fold takes."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.identifiers import signed_digest
from app.expressions.names import Field, Names
from app.expressions.vector.columns import Chunk, ChunkColumn, Texts, Truth, Values
from app.expressions.vector.conditions import condition
from app.profiles.aggregates import Integers
from app.profiles.fold import Doubles, Inputs
from app.profiles.kept import FLAGS, IDS, LIVE, MOST_VALUE, TIMES, Column
from app.profiles.plan import Plan

Mask = NDArray[np.bool_]

digest = lru_cache(maxsize=1 << 16)(signed_digest)
"""Cached, because values repeat."""


class Arrivals(NamedTuple):
    """What every event has besides its fields, as columns of equal length in order of arrival."""

    customer: Integers
    """Index of the profile."""
    time_ms: Integers
    transaction: Integers
    """Digest of the transaction id (``identifiers.digest64``)."""
    offset: Integers
    """Offset in the source log; ascends for each customer."""


class Reader:
    """Reads the inputs of one plan; chunks have the fields of the catalog, in its order."""

    def __init__(self, plan: Plan) -> None:
        fields = plan.catalog.fields
        names = field_names(plan)
        self._indexes = {field.name: index for index, field in enumerate(fields)}
        self._kept = plan.kept
        self._filters = [
            (plan.kept.filter_flag(where), condition(where, names)) for where in plan.kept.filters.values()
        ]

    def inputs(self, chunk: Chunk, arrivals: Arrivals) -> Inputs:
        """Return the inputs of the fold. Raises ValueError for a required field that is missing."""
        rows = np.empty((chunk.rows, self._kept.rows), np.int64)
        rows[:, TIMES], rows[:, IDS] = arrivals.time_ms, arrivals.transaction
        rows[:, FLAGS] = LIVE
        with np.errstate(all="ignore"):
            for flag, matches in self._filters:  # a condition that is missing does not match
                rows[:, FLAGS] |= flag * matches(chunk, {}).true
        for column in self._kept.columns:
            values, present = _numbers(chunk.columns[self._indexes[column.name]], column)
            if not column.presence and not present.all():
                raise ValueError(f"the required field {column.name} is missing")
            rows[:, column.row] = np.where(present, values, 0)
            rows[:, FLAGS] |= column.presence * present
        latitude, longitude = (self._degrees(chunk, name) for name in ("latitude", "longitude"))
        return Inputs(arrivals.customer, rows, latitude, longitude, arrivals.offset)

    def _degrees(self, chunk: Chunk, name: str) -> Doubles:
        index = self._indexes.get(name)
        if index is None:
            return np.full(chunk.rows, np.nan)
        found = chunk.column(index, Values)
        return np.where(found.present, found.data, np.nan)


def field_names(plan: Plan) -> Names:
    """The names that a ``where`` may have."""
    fields = plan.catalog.fields
    return Names(
        tuple(Field(field.name, field.kind, field.values) for field in fields),
        plan.catalog.reference_currency,
    )


def _numbers(found: ChunkColumn, column: Column) -> tuple[Integers, Mask]:
    """The values of a column as whole numbers, and where they are present."""
    if isinstance(found, Texts):
        digests = np.array([*map(digest, found.distinct), 0], np.int64)  # the last one is that of code -1
        return digests[found.codes], found.codes >= 0
    if isinstance(found, Truth):
        return found.true.astype(np.int64), found.true | found.false
    values = found.data
    if values.dtype == np.float64:
        values = np.rint(values * 10.0**column.decimals)
    inside = found.present & (values >= -MOST_VALUE) & (values <= MOST_VALUE)
    return np.where(inside, values, 0).astype(np.int64), inside
