"""Where a row of a file is, for messages: its number, and in text files its line."""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from app.adapters.file_bounds import RecordLines, bounded_lines
from app.errors import InvalidFile

TOO_LONG = [""]
"""The values of a record with a value beyond the limit of the module csv, 128 KiB."""
_BOM = b"\xef\xbb\xbf".decode("latin-1")
_HEADER_LINES = {".csv": 1, ".jsonl": 0, ".ndjson": 0}


def position(path: Path, row: int) -> str:
    """``FILE, line L, row R``; without the line where the file has none, or where both numbers are the same.

    The line is found by reading the file again: only errors need it.
    """
    line = _line_of(path, row)
    return f"{path}, row {row}" if line in (None, row) else f"{path}, line {line}, row {row}"


def written_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, counted from 1, and bytes of each line that is not blank: readers skip blank lines. Raises InvalidFile at one that is
    too long.
    """
    for number, line in enumerate(bounded_lines(path), start=1):
        if line.strip(b"\r\n"):
            yield number, line


def csv_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line at which each record of a CSV file begins, and its values; blank lines are none.

    Latin-1 decodes any bytes, one character each, so the values of a file in any encoding can be separated. Raises InvalidFile at
    a record that is too long.
    """
    with path.open(encoding="latin-1", newline="") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        lines = RecordLines(path, file)
        reader = csv.reader(lines)
        while True:
            line = reader.line_num + 1
            lines.next_record()
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                values = TOO_LONG
            if values:
                yield line, values


def line_number(path: Path, index: int) -> int:
    """Line of the ``index``-th record of a text file, counted from 1 and with the header; ``index`` if unknown."""
    records: Iterator[tuple[int, object]] = (
        csv_records(path) if path.suffix == ".csv" else written_lines(path)
    )
    try:
        return next(itertools.islice(records, index - 1, None))[0]
    except (OSError, StopIteration, InvalidFile):
        return index  # the message is worth more than the exact number


def _line_of(path: Path, row: int) -> int | None:
    if path.suffix not in _HEADER_LINES:
        return None
    return line_number(path, row + _HEADER_LINES[path.suffix])
