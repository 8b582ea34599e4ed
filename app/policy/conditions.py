"""The conditions of a policy in both back-ends: closures for a few rows, NumPy for a chunk."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.expressions import tree
from app.expressions.cells import Row
from app.expressions.names import Names
from app.expressions.scalar import conditions as scalar
from app.expressions.tree import Condition
from app.expressions.vector import conditions as vector
from app.expressions.vector.columns import Chunk, Values, rows_of
from app.policy.definitions import EVENT_TIME
from app.policy.lists import DatedLists

MOST_ROWS = 32
"""Up to so many rows, conditions are closures: NumPy has a fixed cost for each condition. An estimate, not measured for policies yet."""


class Conditions:
    """Conditions, of which the first have an end: an event time from which they no longer hold."""

    def __init__(self, conditions: Sequence[Condition], ends_ms: Sequence[int], names: Names) -> None:
        self.needed: frozenset[str] = frozenset().union(*map(tree.named, conditions))
        self._names = names
        self._ends_ms = np.array(ends_ms, np.int64)
        self._first_end_ms = min(ends_ms, default=0)
        self._one = [scalar.condition(each, names) for each in conditions]
        self._many = [vector.condition(each, names) for each in conditions]
        self._columns = sorted(names.indexes[name] for name in self.needed)

    def holds(self, chunk: Chunk, lists: DatedLists) -> NDArray[np.bool_]:
        """Whether each condition holds for each row, shape (conditions, rows)."""
        return (self.by_row if chunk.rows <= MOST_ROWS else self.by_column)(chunk, lists)

    def by_column(self, chunk: Chunk, lists: DatedLists) -> NDArray[np.bool_]:
        """See holds."""
        times_ms = self._times_ms(chunk)
        found, dated = np.empty((len(self._many), chunk.rows), np.bool_), lists.at_each(times_ms)
        with np.errstate(all="ignore"):
            for index, condition in enumerate(self._many):
                found[index] = condition(chunk, dated).true
        return self._unexpired(found, times_ms)

    def by_row(self, chunk: Chunk, lists: DatedLists) -> NDArray[np.bool_]:
        """See holds."""
        times_ms = self._times_ms(chunk)
        rows = rows_of(chunk, self._columns)
        found = [self.of_row(row, lists, time) for row, time in zip(rows, times_ms.tolist(), strict=True)]
        return self._unexpired(np.array(found, np.bool_).reshape(chunk.rows, len(self._one)).T, times_ms)

    def of_row(self, row: Row, lists: DatedLists, event_time_ms: int) -> list[bool]:
        """Whether each condition holds for a row, expired or not."""
        dated = lists.at(event_time_ms)
        return [condition(row, dated) is True for condition in self._one]

    def _unexpired(self, found: NDArray[np.bool_], times_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        if len(self._ends_ms) and len(times_ms) and times_ms.max() >= self._first_end_ms:
            found[: len(self._ends_ms)] &= times_ms < self._ends_ms[:, None]
        return found

    def _times_ms(self, chunk: Chunk) -> NDArray[np.int64]:
        """The event time of each row; 0, at which nothing has expired, where it is missing."""
        data, present = chunk.column(self._names.indexes[EVENT_TIME], Values)
        return np.where(present, data, 0).astype(np.int64)
