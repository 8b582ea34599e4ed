"""Reads transactions from Parquet, CSV and JSON lines, batch by batch in bounded memory.

>>> for batch in read_batches(Path("history.parquet"), HANDBOOK):    # doctest: +SKIP
...     for transaction in batch.transactions(): ...
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from app.adapters.column_mapping import CONTRACT, ColumnMapping
from app.adapters.tabular.batches import TransactionBatch
from app.adapters.tabular.csv_rows import csv_rows
from app.adapters.tabular.decoding.declared_columns import decimal_fields
from app.adapters.tabular.fields import require_columns, to_batch
from app.adapters.tabular.json_rows import json_rows
from app.adapters.tabular.parquet_rows import parquet_rows
from app.adapters.tabular.sorting import sorted_batches
from app.adapters.tabular.wanted_columns import WantedColumns
from app.domain.words import named
from app.errors import InvalidFile

DEFAULT_BATCH_ROWS = 50_000
_READERS = {".parquet": parquet_rows, ".csv": csv_rows, ".jsonl": json_rows, ".ndjson": json_rows}
SUFFIXES = tuple(_READERS)
_NUMBERS = ("event_time", "amount_minor", "latitude", "longitude")


def read_batches(
    path: Path,
    mapping: ColumnMapping = CONTRACT,
    *,
    batch_rows: int = DEFAULT_BATCH_ROWS,
    sort: bool = False,
) -> Iterator[TransactionBatch]:
    """The file's rows, at most ``batch_rows`` at a time, in the order of the file or, with ``sort``, of event time.

    Raises InvalidFile at the first invalid row or column.
    """
    batches = _batches(path, mapping, batch_rows)
    return sorted_batches(batches, batch_rows) if sort else batches


def _batches(path: Path, mapping: ColumnMapping, batch_rows: int) -> Iterator[TransactionBatch]:
    columns = tuple(column for field in mapping.fields for column in mapping.inputs(field))
    with_decimals = {*_NUMBERS, *mapping.sources, *decimal_fields(mapping)}
    numbers = frozenset(
        c for field in mapping.fields if field in with_decimals for c in mapping.inputs(field)
    )
    wanted = WantedColumns(columns, lambda names: require_columns(names, mapping, path), numbers)
    skipped = 0
    for first_row, rows in read_rows(path, wanted, batch_rows=batch_rows):
        batch = to_batch(rows, mapping, path, first_row, skipped)
        skipped += batch.skipped
        yield batch


def read_rows(
    path: Path, wanted: WantedColumns, *, batch_rows: int = DEFAULT_BATCH_ROWS
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The wanted columns, at most ``batch_rows`` rows at a time, with the number of the first row, counted from 1.

    Raises InvalidFile where the file cannot be read or lacks a required column.
    """
    first_row = 1
    try:
        for rows in _reader(path)(path, wanted, batch_rows):
            yield first_row, rows
            first_row += rows.num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:  # UnicodeDecodeError: a column's name
        # Arrow's messages may quote the file's content, so only the type of the error is reported.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else named(error)
        raise InvalidFile(f"{path} cannot be read as {path.suffix[1:]}: {reason}") from error


def row_count(path: Path) -> int | None:
    """The number of rows of a Parquet file; None for other formats, which do not store it, and unreadable files."""
    if path.suffix != ".parquet":
        return None
    try:
        count: int = pyarrow.parquet.read_metadata(path).num_rows
    except (OSError, pa.ArrowException, UnicodeDecodeError):
        return None
    return count


def _reader(path: Path) -> Callable[[Path, WantedColumns, int], Iterator[pa.RecordBatch]]:
    if path.suffix not in _READERS:
        compressed = "; decompress it first" if path.suffix in (".gz", ".zst", ".bz2", ".xz", ".zip") else ""
        raise InvalidFile(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}{compressed}")
    return _READERS[path.suffix]
