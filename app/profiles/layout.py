"""The encoding of a profile: little-endian words of 8 bytes, versioned.

::

    header    HEADER, 10 words: the customer
    columns   for each row of the log (times, ids, flags, columns) one word, its base; then one byte, its width: 0, 1, 2, 4 or 8
    events    row by row: n values of the row's width, each the difference to the base; filled up to whole words

A width is the narrowest for the range of the row; with 8 bytes the base is 0. So a row of equal values takes no space, and
equal profiles give equal bytes. Topic id and applied offset have a fixed position, so that two versions of one profile can be
ordered without decoding them (``app.features.state.lineage``).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.features.compiled import borrowing
from app.features.packed_words import WORD_BYTES, Words
from app.profiles.aggregates import NONE, Integers
from app.profiles.kept import TIMES, Kept

VERSION = 3

HEADER = np.dtype(
    [
        ("version", "<u4"),
        ("events", "<u4"),
        ("topic_id", "<u8"),  # of the source topic
        ("applied_offset", "<i8"),  # the last applied offset of it, -1 for none
        ("applied", "<i8"),  # number of transactions that changed this profile
        ("layout", "<i8"),  # digest of what is kept
        ("first_seen_ms", "<i8"),
        ("evicted_ms", "<i8"),  # time of the newest event evicted by the cap
        ("place_ms", "<i8"),  # time of the latest transaction with a location
        ("latitude", "<f8"),  # NaN before the first location
        ("longitude", "<f8"),
    ]
)
HEADER_WORDS = HEADER.itemsize // WORD_BYTES

_FIRST = 64
"""Values of which the range is computed first: digests differ by more than 4 bytes."""
_ZERO, _ONE_BYTE, _TWO_BYTES, _FOUR_BYTES = np.uint64(0), np.uint64(2**8), np.uint64(2**16), np.uint64(2**32)


def empty(kept: Kept) -> bytes:
    """The profile of a new customer."""
    header = np.zeros(1, HEADER)
    header["version"], header["applied_offset"], header["layout"] = VERSION, -1, kept.digest
    header["first_seen_ms"] = header["evicted_ms"] = NONE
    header["latitude"] = header["longitude"] = np.nan
    return header.tobytes() + bytes(WORD_BYTES * (table_words(kept.rows)))


@borrowing
def table_words(rows: int) -> int:
    """Words of the bases and widths."""
    return rows + (rows + WORD_BYTES - 1) // WORD_BYTES


@borrowing
def most_words(rows: int, events: int) -> int:
    """Words of a profile with this many events, at most."""
    return HEADER_WORDS + table_words(rows) + rows * events


@borrowing
def stored_events(words: Words, rows: int, layout: int) -> int:
    """The number of events of a profile of this layout; -1 for words that are none."""
    at = HEADER_WORDS + table_words(rows)
    if len(words) < at:
        return -1
    header = words[:HEADER_WORDS].view(HEADER)[0]
    if header.version != VERSION or header.layout != layout:
        return -1
    events = int(np.int64(header.events))
    for row in range(rows):
        width = _width(words, rows, row)
        if width not in (0, 1, 2, 4, 8):
            return -1
        at += _row_words(events, width)
    return events if len(words) == at else -1


@borrowing
def _width(words: Words, rows: int, row: int) -> int:
    """The width of the values of a row."""
    word = words[HEADER_WORDS + rows + row // WORD_BYTES]
    return int(word >> 8 * (row % WORD_BYTES)) & 255


@borrowing
def _row_words(events: int, width: int) -> int:
    return (events * width + WORD_BYTES - 1) // WORD_BYTES


@borrowing
def unpack(words: Words, n: int, log: Any, span: Integers) -> bool:
    """Copy the n events of a profile to the log. Returns False if their times do not ascend: then it is damaged.

    ``stored_events`` must have given n, or memory outside is accessed.
    """
    rows = len(log)
    at = HEADER_WORDS + table_words(rows)
    for row in range(rows):
        width = _width(words, rows, row)
        end = at + _row_words(n, width)
        _widen(words[at:end], width, words[HEADER_WORDS + row], log[row, :n])
        at = end
    span[0], span[1] = 0, n
    return _ascend(log[TIMES, :n])


@borrowing
def pack(header: Any, log: Any, span: Integers, words: Words) -> int:
    """Write bases, widths and events behind the header. Returns the length of the profile in words."""
    rows, n = len(log), span[1] - span[0]
    header.events = n
    at = HEADER_WORDS + table_words(rows)
    for word in range(HEADER_WORDS + rows, at):
        words[word] = 0
    for row in range(rows):
        values = log[row, span[0] : span[1]]
        base, width = _frame(values, row == TIMES)
        end = at + _row_words(n, width)
        words[HEADER_WORDS + row] = base
        words[HEADER_WORDS + rows + row // WORD_BYTES] |= width << 8 * (row % WORD_BYTES)
        _narrow(values, width, base, words[at:end])
        at = end
    return at


@borrowing
def _frame(values: Integers, ascend: bool) -> tuple[int, int]:
    """The base of a row, and the width of its values. A row of digests is known by its first values."""
    n = len(values)
    if n == 0:
        return 0, 0
    low, high = values[0], values[n - 1] if ascend else values[0]
    if not ascend:
        low, high = _range(values[:_FIRST], low, high)
        if n > _FIRST and np.uint64(high) - np.uint64(low) < _FOUR_BYTES:
            low, high = _range(values[_FIRST:], low, high)
    spread = np.uint64(high) - np.uint64(low)
    if spread >= _FOUR_BYTES:
        return 0, 8
    if spread == _ZERO:
        return low, 0
    if spread < _ONE_BYTE:
        return low, 1
    return low, 2 if spread < _TWO_BYTES else 4


@borrowing
def _range(values: Integers, low: int, high: int) -> tuple[int, int]:
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high


@borrowing
def _widen(words: Words, width: int, base: int, values: Integers) -> None:
    n = len(values)
    if width == 0:
        for i in range(n):
            values[i] = base
    elif width == 1:
        _add_base(words.view(np.uint8)[:n], base, values)
    elif width == 2:
        _add_base(words.view(np.uint16)[:n], base, values)
    elif width == 4:
        _add_base(words.view(np.uint32)[:n], base, values)
    else:
        for i in range(n):
            values[i] = words[i]


@borrowing
def _add_base(narrow: NDArray[Any], base: int, values: Integers) -> None:
    for i in range(len(values)):
        values[i] = base + np.int64(narrow[i])


@borrowing
def _narrow(values: Integers, width: int, base: int, words: Words) -> None:
    n = len(values)
    if width in (1, 2, 4):
        words[-1] = 0  # of which the last value need not fill every byte
    if width == 1:
        _subtract_base(values, base, words.view(np.uint8)[:n])
    elif width == 2:
        _subtract_base(values, base, words.view(np.uint16)[:n])
    elif width == 4:
        _subtract_base(values, base, words.view(np.uint32)[:n])
    elif width == 8:
        for i in range(n):
            words[i] = values[i]


@borrowing
def _subtract_base(values: Integers, base: int, narrow: NDArray[Any]) -> None:
    for i in range(len(values)):
        narrow[i] = values[i] - base


@borrowing
def _ascend(times: Integers) -> bool:
    ascend = True
    for i in range(1, len(times)):
        ascend &= times[i - 1] <= times[i]
    return ascend
