"""Reads transactions from Parquet, CSV and JSON lines, batch by batch in bounded memory.

>>> for batch in read_batches(Path("history.parquet"), HANDBOOK):    # doctest: +SKIP
...     for transaction in batch.transactions(): ...
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from app.adapters.column_mapping import CONTRACT, FIELDS, ColumnMapping
from app.adapters.tabular.batches import TransactionBatch
from app.adapters.tabular.fields import require_columns, to_batch
from app.errors import InvalidFile

DEFAULT_BATCH_ROWS = 50_000
SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")


def read_batches(
    path: Path, mapping: ColumnMapping = CONTRACT, *, batch_rows: int = DEFAULT_BATCH_ROWS
) -> Iterator[TransactionBatch]:
    """The file's rows in order, at most ``batch_rows`` at a time.

    Raises InvalidFile at the first invalid row or column.
    """
    wanted = WantedColumns(
        tuple(map(mapping.column, FIELDS)), lambda names: require_columns(names, mapping, path)
    )
    for first_row, rows in read_rows(path, wanted, batch_rows=batch_rows):
        yield to_batch(rows, mapping, path, first_row)


class WantedColumns(NamedTuple):
    """The columns to read where the file has them."""

    columns: tuple[str, ...]
    require: Callable[[Sequence[str]], None]
    """Raises InvalidFile when a required column is not among the given names."""


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
    except (OSError, pa.ArrowException) as error:
        # Arrow's messages may quote the file's content, so only the type of the error is reported.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise InvalidFile(f"{path} cannot be read as {path.suffix[1:]}: {reason}") from error


def row_count(path: Path) -> int | None:
    """The number of rows of a Parquet file; None for other formats, which do not store it, and unreadable files."""
    if path.suffix != ".parquet":
        return None
    try:
        count: int = pyarrow.parquet.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        return None
    return count


def _reader(path: Path) -> Callable[[Path, WantedColumns, int], Iterator[pa.RecordBatch]]:
    readers = {".parquet": _parquet_rows, ".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    if path.suffix not in readers:
        raise InvalidFile(f"{path}: the suffix must be one of {', '.join(SUFFIXES)}")
    return readers[path.suffix]


def _parquet_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    # With pre_buffer Arrow would hold whole row groups; without it pages are read on demand and memory stays bounded.
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
        names = file.schema_arrow.names
        wanted.require(names)
        found = [column for column in wanted.columns if column in names]
        yield from file.iter_batches(batch_rows, columns=found, use_threads=False)


def _csv_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    ragged: list[int] = []

    def note(row: Any) -> str:
        ragged.append(row.number)
        return "error"

    # Every column is read as text: type inference would turn the id 007 into 7, and the country NA into null.
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(wanted.columns, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=False, invalid_row_handler=note)
    read = pyarrow.csv.ReadOptions(use_threads=False)
    try:
        with pyarrow.csv.open_csv(
            path, read_options=read, parse_options=parse, convert_options=convert
        ) as reader:
            wanted.require(reader.schema.names)
            for block in reader:
                for start in range(0, block.num_rows, batch_rows):
                    yield block.slice(start, batch_rows)
    except pa.ArrowInvalid as error:
        if not ragged:
            raise
        raise InvalidFile(f"{path}, line {ragged[0]}: another number of values than columns") from error


def _json_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with path.open("rb") as file:
        first_row = 1
        while rows := list(_json_lines(file, decode, path, first_row, batch_rows)):
            yield _json_batch(rows, wanted, path, first_row)
            first_row += len(rows)


def _json_lines(
    file: BinaryIO, decode: Callable[[bytes], dict[str, Any]], path: Path, first_row: int, batch_rows: int
) -> Iterator[dict[str, Any]]:
    for row, line in enumerate(itertools.islice(file, batch_rows), first_row):
        try:
            yield decode(line)
        except msgspec.MsgspecError as error:
            raise InvalidFile(f"{path}, row {row}: is not a JSON object") from error


def _json_batch(
    rows: list[dict[str, Any]], wanted: WantedColumns, path: Path, first_row: int
) -> pa.RecordBatch:
    found = set().union(*rows)
    wanted.require(sorted(found))
    names = [column for column in wanted.columns if column in found]
    arrays = [_json_column([row.get(name) for row in rows], name, path, first_row) for name in names]
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _json_column(values: list[Any], name: str, path: Path, first_row: int) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise InvalidFile(
            f"{path}, rows {first_row} to {first_row + len(values) - 1}, column `{name}`: "
            "the values are of several types, or too large"
        ) from error
