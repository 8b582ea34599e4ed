"""Reads the wanted columns of a CSV file as text, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from app.adapters.file_bounds import in_force
from app.adapters.tabular.positions import TOO_LONG, csv_records
from app.adapters.tabular.unreadable import NOT_UTF8, is_utf8, refuse_other_format, repaired, undecodable_text
from app.adapters.tabular.wanted_columns import WantedColumns
from app.errors import InvalidFile

_RAGGED = " columns, got "
"""A part of Arrow's message about a line with another number of values than columns; a test fails if a release changes it."""


def csv_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows in order. Raises InvalidFile, or what Arrow raises for a file that it cannot parse."""
    refuse_other_format(path, may_be_empty=False)
    columns = wanted.found_in(path, _header(path))
    # Every column is read as text: type inference would turn the id 007 into 7, and the country NA into null.
    convert = pyarrow.csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    # Arrow reads a record that is as long as a block, and refuses a longer one.
    read = pyarrow.csv.ReadOptions(use_threads=False, block_size=in_force().line_bytes + 1)
    try:
        with pyarrow.csv.open_csv(
            path, read_options=read, parse_options=parse, convert_options=convert
        ) as reader:
            for block in reader:
                for start in range(0, block.num_rows, batch_rows):
                    yield block.slice(start, batch_rows)
    except pa.ArrowInvalid as error:
        raise _reason(path, columns, error) or error from error


def _header(path: Path) -> list[str]:
    """The names of the columns: the first line that is not blank."""
    line, values = next(csv_records(path))
    if not all(is_utf8(value.encode("latin-1")) for value in values):
        raise InvalidFile(f"{path}, line {line}: {NOT_UTF8}")
    return list(map(repaired, values))


def _reason(path: Path, columns: list[str], error: pa.ArrowInvalid) -> InvalidFile | None:
    """Why Arrow refused the file. Its own message may quote the file's content, so it is not passed on."""
    if _RAGGED in str(error) and (line := _ragged_line(path)) is not None:
        return InvalidFile(f"{path}, line {line}: another number of values than columns")
    try:
        return undecodable_text(path, columns) or _unclosed_quote(path)
    except InvalidFile as too_long:
        return too_long


def _ragged_line(path: Path) -> int | None:
    """The first line with another number of values than the header. Arrow can name it only where it is UTF-8."""
    records = csv_records(path)
    _, header = next(records)
    return next((line for line, values in records if len(values) != len(header)), None)


def _unclosed_quote(path: Path) -> InvalidFile | None:
    """The error for a quote after which the rest of the file is one value."""
    for line, values in csv_records(path):
        if values is TOO_LONG:
            return InvalidFile(f"{path}, line {line}: a value in quotes does not end")
    return None
