"""All entries of all lists in arrays, found by their exact bytes.

Memory: 22 bytes for each row, 12 to 23 bytes for its slot, and the bytes of its text. The columns have their full length from the
beginning; the operating system gives memory only to what was written.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from app.lists.changes import MOST_ENTRIES, MOST_ENTRY_CHARACTERS
from app.lists.probe import (
    FREE,
    LIVE,
    LIVE_BYTES,
    ROWS,
    USED,
    Columns,
    Integers,
    Rows,
    find,
    leave_out_removed,
    put,
    spread,
)
from app.lists.texts import EncodedTexts, encoded, tag_of
from app.lists.validity import NEVER, Validity

ENTRY_BYTES = 64
"""Bytes of the texts of entries, as a mean of all that are allowed: a digest of 256 bits in hexadecimal digits."""
SPARE = 16
"""One row of 16 is spare: removed entries are left out once for as many removals, which takes half a second for 5 million."""
FULLEST = 0.7
"""Share of the slots that are taken, at most."""
FIRST_SLOTS = 1 << 12


class ListsFull(Exception):
    """The lists have more entries, or more bytes of texts, than their bounds allow."""


class Bounds(NamedTuple):
    """What the entries that are not removed may take, in all lists."""

    entries: int
    text_bytes: int

    @classmethod
    def of(cls, entries: int) -> "Bounds":
        """For a number of entries with a mean of ENTRY_BYTES."""
        return cls(entries, ENTRY_BYTES * entries)

    def with_spare(self) -> "Bounds":
        """With room for removed entries, and for the longest record."""
        longest = MOST_ENTRIES * 4 * MOST_ENTRY_CHARACTERS
        return Bounds(
            self.entries + max(self.entries // SPARE, MOST_ENTRIES),
            self.text_bytes + max(self.text_bytes // SPARE, longest),
        )


class EntryTable:
    """Entries by the number of their list and their text."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        rows, text_bytes = bounds.with_spare()
        self.columns = Columns(
            owners=np.empty(rows, np.uint16),
            ends=np.empty(rows + 1, np.uint32),
            since=np.empty(rows, np.int64),
            until=np.empty(rows, np.int64),
            texts=np.empty(text_bytes, np.uint8),
            counts=np.zeros(4, np.int64),
        )
        self.columns.ends[0] = 0
        self._slots = np.full(FIRST_SLOTS, FREE, np.int64)
        self._open_views()

    def __len__(self) -> int:
        """Entries that are not removed, whether they are valid now or not."""
        return int(self.columns.counts[LIVE])

    @property
    def size_bytes(self) -> int:
        """The memory of what is written."""
        counts = self.columns.counts
        return 22 * int(counts[ROWS]) + int(counts[USED]) + self._slots.nbytes

    def put(self, owner: int, texts: EncodedTexts, since: int, until: int) -> None:
        """Set the validity of the texts of a record; an empty one removes them. After ListsFull the table must not be used."""
        self._make_room(len(texts.hashes), len(texts.data))
        put(self._slots, self.columns, owner, texts.in_list(owner), since, until)
        live = self.columns.counts[LIVE], self.columns.counts[LIVE_BYTES]
        if live[0] > self._bounds.entries or live[1] > self._bounds.text_bytes:
            raise ListsFull

    def rows(self, owner: int, texts: EncodedTexts) -> Rows:
        """The row of each text in a list; -1 where it has none."""
        return find(self._slots, self.columns, owner, texts.in_list(owner))

    def row(self, owner: int, text: str) -> int:
        """As ``rows``, for one text: without the cost of a call of compiled code."""
        tag, slots = tag_of(text, owner), self._slot_view
        mask = len(slots) - 1
        slot = tag & mask
        while (value := slots[slot]) != FREE:
            if value >> 32 == tag and self._has(value & 0xFFFFFFFF, owner, text):
                return value & 0xFFFFFFFF
            slot = (slot + 1) & mask
        return FREE

    def text(self, row: int) -> str:
        """The text of a row."""
        return str(self._bytes(row), "utf-8")

    def is_valid(self, row: int, event_time_ms: int) -> bool:
        """Whether the entry is in its list at an event time."""
        return self._since_view[row] <= event_time_ms < self._until_view[row]

    def validity(self, row: int) -> Validity:
        """The event times for which the entry is in its list."""
        return Validity(self._since_view[row], self._until_view[row])

    def validities(self, rows: Rows) -> tuple[Integers, Integers]:
        """The first event times of rows, and those behind the last ones; NEVER for a row -1, and once more at the end."""
        found = np.append(rows, np.int32(FREE))
        # No row has the number -1: NumPy takes the last one, which may never have been written.
        since = np.where(found < 0, NEVER.since_ms, self.columns.since[found])
        return since, np.where(found < 0, NEVER.until_ms, self.columns.until[found])

    def rows_of(self, owner: int) -> Iterator[int]:
        """The rows of a list whose entries are not removed."""
        columns, rows = self.columns, int(self.columns.counts[ROWS])
        live = columns.since[:rows] < columns.until[:rows]
        yield from np.flatnonzero(live & (columns.owners[:rows] == owner)).tolist()

    def compact(self) -> None:
        """Leave removed entries out."""
        self._respread(len(self._slots), leave_out_removed(self.columns))

    def _has(self, row: int, owner: int, text: str) -> bool:
        return self._owner_view[row] == owner and self._bytes(row) == encoded(text)

    def _bytes(self, row: int) -> memoryview:
        return self._text_view[self._end_view[row] : self._end_view[row + 1]]

    def _make_room(self, rows: int, text_bytes: int) -> None:
        counts, columns = self.columns.counts, self.columns
        if counts[ROWS] + rows > len(columns.owners) or counts[USED] + text_bytes > len(columns.texts):
            self.compact()
        slots, needed = len(self._slots), (int(counts[ROWS]) + rows) / FULLEST
        while slots < needed:
            slots *= 2
        if slots > len(self._slots):
            self._respread(slots, np.arange(counts[ROWS], dtype=np.int32))

    def _respread(self, slots: int, moved: Rows) -> None:
        old, self._slots = self._slots, np.empty(slots, np.int64)
        spread(old, self._slots, moved)
        self._open_views()

    def _open_views(self) -> None:
        """Reading one number through a memoryview takes half the time that it takes through an array."""
        self._slot_view, self._owner_view = self._slots.data, self.columns.owners.data
        self._end_view, self._text_view = self.columns.ends.data, self.columns.texts.data
        self._since_view, self._until_view = self.columns.since.data, self.columns.until.data


def compile_table() -> None:
    """Compile, or load the machine code, so that the first record and the first chunk do not wait for it."""
    table, texts = EntryTable(Bounds.of(1)), EncodedTexts.of(["text"])
    table.put(0, texts, *NEVER)
    table.rows(0, texts)
    table.compact()
