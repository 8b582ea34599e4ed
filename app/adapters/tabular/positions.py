"""Where a row of a file is, for messages: its number, and in text files its line."""

import itertools
from collections.abc import Iterator
from pathlib import Path

_HEADER_LINES = {".csv": 1, ".jsonl": 0, ".ndjson": 0}


def position(path: Path, row: int) -> str:
    """``FILE, line L, row R``; without the line where the file has none, or where both numbers are the same.

    The line is found by reading the file again: only errors need it.
    """
    line = _line_of(path, row)
    return f"{path}, row {row}" if line in (None, row) else f"{path}, line {line}, row {row}"


def written_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, counted from 1, and bytes of each line that is not blank: readers skip blank lines."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip(b"\r\n"):
                yield number, line


def line_number(path: Path, index: int) -> int:
    """Number of the line that is the ``index``-th, counted from 1, of those that are not blank; ``index`` if unknown."""
    try:
        return next(itertools.islice(written_lines(path), index - 1, None))[0]
    except (OSError, StopIteration):
        return index  # the message is worth more than the exact number


def _line_of(path: Path, row: int) -> int | None:
    if path.suffix not in _HEADER_LINES:
        return None
    return line_number(path, row + _HEADER_LINES[path.suffix])
