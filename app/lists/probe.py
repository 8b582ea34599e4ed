"""The compiled part of the table: an open-addressing hash table, whose slots name rows, and whose rows have the bytes of entries.

A hash only says where to look. An entry is found where its list and all of its bytes are equal, so no two entries are ever taken
for each other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import compiled

Integers = NDArray[np.int64]
Rows = NDArray[np.int32]
Bytes = NDArray[np.uint8]

FREE = -1
ROWS, USED, LIVE, LIVE_BYTES = 0, 1, 2, 3
"""Indexes of the counts: rows and bytes of texts, then those of entries that are not removed."""


class Columns(NamedTuple):
    """One row for each entry. A removed entry keeps its row, with an empty validity."""

    owners: NDArray[np.uint16]
    """The number of the list."""
    ends: NDArray[np.uint32]
    """The bytes of a row are those from ``ends[row]`` up to, not including, ``ends[row + 1]``."""
    since: Integers
    until: Integers
    """The entry is in the list for event times from ``since`` up to, not including, ``until``."""
    texts: Bytes
    counts: Integers


class Texts(NamedTuple):
    """Texts to look up: the tag of each, 31 bits of its hash, and all bytes. ``ends`` begins with 0."""

    tags: Integers
    data: Bytes
    ends: Integers


@compiled
def _slot(slots: Integers, columns: Columns, owner: int, texts: Texts, index: int) -> int:
    """Return the slot of a text, or the free one where it belongs. A slot has the tag in front of the row."""
    mask = len(slots) - 1
    tag, begin, size = texts.tags[index], texts.ends[index], texts.ends[index + 1] - texts.ends[index]
    slot: int = tag & mask
    while slots[slot] != FREE:
        if slots[slot] >> 32 == tag:
            row = slots[slot] & 0xFFFFFFFF
            first = np.int64(columns.ends[row])
            if columns.owners[row] == owner and np.int64(columns.ends[row + 1]) - first == size:
                at = 0
                while at < size and columns.texts[first + at] == texts.data[begin + at]:
                    at += 1
                if at == size:
                    return slot
        slot = (slot + 1) & mask
    return slot


@compiled
def find(slots: Integers, columns: Columns, owner: int, texts: Texts) -> Rows:
    """Return the row of each text in a list; -1 where it has none."""
    found = np.empty(len(texts.tags), np.int32)
    for index in range(len(found)):
        # The low half of a free slot is -1 too.
        found[index] = np.int32(slots[_slot(slots, columns, owner, texts, index)])
    return found


@compiled
def _append(columns: Columns, owner: int, texts: Texts, index: int) -> int:
    """Add a removed entry and return its row."""
    counts = columns.counts
    row: int = counts[ROWS]
    used = counts[USED]
    for at in range(texts.ends[index], texts.ends[index + 1]):
        columns.texts[used] = texts.data[at]
        used += 1
    columns.owners[row], columns.ends[row + 1] = owner, used
    columns.since[row] = columns.until[row] = 0
    counts[ROWS], counts[USED] = row + 1, used
    return row


@compiled
def put(slots: Integers, columns: Columns, owner: int, texts: Texts, since: int, until: int) -> None:
    """Set the validity of each text in a list; an empty one removes it. The caller has made room for all texts."""
    counts = columns.counts
    for index in range(len(texts.tags)):
        slot = _slot(slots, columns, owner, texts, index)
        if slots[slot] == FREE:
            if since >= until:
                continue
            slots[slot] = texts.tags[index] << 32 | _append(columns, owner, texts, index)
        row = slots[slot] & 0xFFFFFFFF
        change = np.int64(since < until) - np.int64(columns.since[row] < columns.until[row])
        counts[LIVE] += change
        counts[LIVE_BYTES] += change * (texts.ends[index + 1] - texts.ends[index])
        columns.since[row], columns.until[row] = since, until


@compiled
def spread(old: Integers, new: Integers, moved: Rows) -> None:
    """Write the rows of old slots into new ones. ``moved`` has the new number of each row, -1 where it is left out."""
    mask = len(new) - 1
    new[:] = FREE
    for value in old:
        if value == FREE or moved[value & 0xFFFFFFFF] < 0:
            continue
        tag = value >> 32
        slot = tag & mask
        while new[slot] != FREE:
            slot = (slot + 1) & mask
        new[slot] = tag << 32 | np.int64(moved[value & 0xFFFFFFFF])


@compiled
def leave_out_removed(columns: Columns) -> Rows:
    """Move the rows together that are not removed, in their order. Return the new number of each row, -1 where it is left out."""
    rows, kept, used, begin = columns.counts[ROWS], 0, 0, np.int64(0)
    moved = np.empty(rows, np.int32)
    for row in range(rows):
        end = np.int64(columns.ends[row + 1])
        moved[row] = -1
        if columns.since[row] < columns.until[row]:
            columns.owners[kept] = columns.owners[row]
            columns.since[kept], columns.until[kept] = columns.since[row], columns.until[row]
            for at in range(begin, end):
                columns.texts[used] = columns.texts[at]
                used += 1
            moved[row] = kept
            kept += 1
            columns.ends[kept] = used
        begin = end
    columns.counts[ROWS], columns.counts[USED] = kept, used
    return moved
