"""What conditions see of the lists: the entries at the event time of one transaction, or of each row of a chunk."""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.expressions.vector.columns import Texts
from app.expressions.vector.texts import EntriesByRow
from app.lists.table import EntryTable
from app.lists.texts import EncodedTexts

UNKNOWN = 0xFFFF
"""The number of every list that has never had an entry."""
EntriesT = TypeVar("EntriesT")


class SupersededView(RuntimeError):
    """A view was used after a later record had changed the state."""


class ListsView:
    """The lists as of ``offset``. A list without records is empty: the policy declares which lists exist."""

    def __init__(
        self, table: EntryTable, numbers: Mapping[str, int], offset: int, state_offset: Callable[[], int]
    ) -> None:
        self.offset = offset
        self.numbers = numbers
        self._table = table
        self._state_offset = state_offset

    def at(self, event_time_ms: int) -> "Mapping[str, EntriesAt]":
        """The lists for one transaction: ``text in view.at(event_time)[name]``."""
        return ByName(self.numbers, lambda number: EntriesAt(self, number, event_time_ms))

    def at_each(self, event_times_ms: NDArray[np.int64]) -> "Mapping[str, EntriesAtEach]":
        """The lists for the rows of a chunk with these event times."""
        columns = EncodedColumns()
        return ByName(self.numbers, lambda number: EntriesAtEach(self, number, event_times_ms, columns))

    def table(self) -> EntryTable:
        """The entries. Raises SupersededView."""
        if self._state_offset() != self.offset:
            raise SupersededView(f"the lists have changed since offset {self.offset}")
        return self._table


class ByName(Mapping[str, EntriesT]):
    """Lists by name, made when they are asked for."""

    def __init__(self, numbers: Mapping[str, int], entries: Callable[[int], EntriesT]) -> None:
        self._numbers = numbers
        self._entries = entries

    def __getitem__(self, name: str) -> EntriesT:
        """The list of this name, empty if it has no records."""
        return self._entries(self._numbers.get(name, UNKNOWN))

    def __iter__(self) -> Iterator[str]:
        """The lists that have ever had an entry."""
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class EntriesAt(Container[str]):
    """The entries of a list at an event time."""

    def __init__(self, view: ListsView, number: int, event_time_ms: int) -> None:
        self._view = view
        self._number = number
        self._event_time_ms = event_time_ms

    def __contains__(self, text: object) -> bool:
        table = self._view.table()
        row = table.row(self._number, text) if isinstance(text, str) else -1
        return row >= 0 and table.is_valid(row, self._event_time_ms)


class EncodedColumns:
    """The texts of each column, encoded once for all lists in which they are looked up."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[tuple[str, ...], EncodedTexts]] = {}

    def of(self, distinct: tuple[str, ...]) -> EncodedTexts:
        """The encoded texts. The entry holds the texts too, so that no others can take their identity."""
        found = self._found.get(id(distinct))
        if found is None:
            found = self._found[id(distinct)] = distinct, EncodedTexts.of(distinct)
        return found[1]


class EntriesAtEach(EntriesByRow):
    """The entries of a list at the event time of each row of a chunk."""

    def __init__(
        self, view: ListsView, number: int, event_times_ms: NDArray[np.int64], columns: EncodedColumns
    ) -> None:
        self._view = view
        self._number = number
        self._event_times_ms = event_times_ms
        self._columns = columns

    def rows_listed(self, texts: Texts) -> NDArray[np.bool_]:
        """See EntriesByRow. One probe for each distinct text."""
        table = self._view.table()
        since, until = table.validities(table.rows(self._number, self._columns.of(texts.distinct)))
        # The last validity, of code -1, is that of a missing text: empty.
        return (since[texts.codes] <= self._event_times_ms) & (self._event_times_ms < until[texts.codes])
