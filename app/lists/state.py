"""The fold of the log of lists: what each list contains at an offset.

The state changes in place. A view of it names its offset and serves one computation: it refuses to answer once a later record was
applied, so that no chunk is ever decided with two states.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from app.lists.changes import ListChange
from app.lists.table import Bounds, EntryTable
from app.lists.texts import EncodedTexts
from app.lists.validity import NEVER, Validity
from app.lists.view import UNKNOWN, ListsView

MOST_LISTS = 1_000


class TooManyLists(ValueError):
    """A record names one list more than there may be."""


class ListState:
    """The entries of all lists. Records are applied in the order of their offsets."""

    def __init__(self, bounds: Bounds) -> None:
        self.offset = -1
        """Of the last record that was applied or passed over."""
        self._table = EntryTable(bounds)
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Entries in all lists that are not removed."""
        return len(self._table)

    @property
    def size_bytes(self) -> int:
        """The memory of the entries."""
        return self._table.size_bytes

    @property
    def names(self) -> tuple[str, ...]:
        """The lists that have ever had an entry."""
        return tuple(self._numbers)

    def apply(self, offset: int, change: ListChange) -> None:
        """Apply the record at ``offset``. Raises TooManyLists, and has passed over the record then, and ListsFull, after which
        the state must not be used.
        """
        self.pass_over(offset)
        number = self._numbers.setdefault(change.list_name, len(self._numbers))
        if number >= MOST_LISTS:
            del self._numbers[change.list_name]
            raise TooManyLists(f"there are {MOST_LISTS} lists already")
        self._table.put(number, EncodedTexts.of(change.entries), *Validity.of(change))

    def pass_over(self, offset: int) -> None:
        """The record at ``offset`` has no effect."""
        if offset <= self.offset:
            raise ValueError(f"offset {offset} is not behind {self.offset}")
        self.offset = offset

    def current(self) -> ListsView:
        """The lists after the record at ``offset``, for one computation."""
        return ListsView(self._table, self._numbers, self.offset, lambda: self.offset)

    def lacking(self, change: ListChange, entries: Sequence[str]) -> list[str]:
        """Those of ``entries`` whose validity is not the one that the change gives."""
        rows = self._table.rows(self._numbers.get(change.list_name, UNKNOWN), EncodedTexts.of(entries))
        since, until = (times[:-1] for times in self._table.validities(rows))
        wanted = Validity.of(change)
        differs = (since != wanted.since_ms) | (until != wanted.until_ms)
        return [entries[index] for index in np.flatnonzero(differs).tolist()]

    def validity(self, list_name: str, entry: str) -> Validity | None:
        """When an entry is in a list; None if it was never added, or was removed."""
        row = self._table.row(self._numbers.get(list_name, UNKNOWN), entry)
        found = NEVER if row < 0 else self._table.validity(row)
        return None if found == NEVER else found

    def entries(self, list_name: str) -> Iterator[tuple[str, Validity]]:
        """The entries of a list that are not removed, in the order in which they were first added."""
        for row in self._table.rows_of(self._numbers.get(list_name, UNKNOWN)):
            yield self._table.text(row), self._table.validity(row)
