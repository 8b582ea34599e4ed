"""Reads the wanted columns of a Parquet file, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from app.adapters.file_bounds import in_force, setting
from app.adapters.tabular.column import Column
from app.adapters.tabular.parquet_sizes import refuse_large_pages
from app.adapters.tabular.wanted_columns import WantedColumns
from app.errors import InvalidFile, InvalidReason


def parquet_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows in order. Raises InvalidFile, or what Arrow raises for a file that it cannot read."""
    if not path.stat().st_size:
        raise InvalidFile(f"{path} is empty")
    # With pre_buffer Arrow would hold whole row groups; without it pages are read on demand and memory stays bounded.
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
        schema = file.schema_arrow
        found = wanted.found_in(path, [name for field in schema for name in _names(field)])
        _refuse_large(path, file.metadata)
    refuse_large_pages(path, {beginning for name in found for beginning in _beginnings(name)})
    # A column that stores each text once is read as it is stored: one text of 1 MiB in 50,000 rows would be 50 GB.
    stored_once = [field.name for field in schema if field.name in found and _is_text(field.type)]
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False, read_dictionary=stored_once) as file:
        first_row = 1
        for batch in file.iter_batches(batch_rows, columns=found, use_threads=False):
            for rows in _parts(batch):
                columns = [
                    Column(path=path, name=name, first_row=first_row, array=_array(rows, name))
                    for name in found
                ]
                yield pa.RecordBatch.from_arrays([_sound(column) for column in columns], names=found)
                first_row += rows.num_rows


def _refuse_large(path: Path, metadata: pyarrow.parquet.FileMetaData) -> None:
    """Raise InvalidFile for a row group that is too large: Arrow unpacks whole pages of it.

    Whole row groups are compared, since Arrow ends the process where it cannot parse the metadata of a single column.
    """
    for number in range(metadata.num_row_groups):
        size = metadata.row_group(number).total_byte_size
        if size > in_force().row_group_bytes:
            raise InvalidFile(
                f"{path}, row group {number + 1}: has {size:,} bytes, more than {setting('row_group_bytes')}; "
                "write the file with smaller row groups"
            )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _parts(rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The rows with a value for each row, as many at a time as the bound on a batch allows."""
    longest = sum(
        _longest(column.dictionary) for column in rows.columns if pa.types.is_dictionary(column.type)
    )
    most_rows = max(1, in_force().batch_bytes // max(1, longest))
    for start in range(0, rows.num_rows, most_rows):
        part = rows.slice(start, most_rows)
        yield pa.RecordBatch.from_arrays([_decoded(column) for column in part.columns], part.schema.names)


def _longest(texts: pa.Array) -> int:
    return pc.max(pc.binary_length(texts)).as_py() or 0


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _names(field: pa.Field, prefix: str = "") -> Iterator[str]:
    """The field's name, and the paths with dots of the fields nested in it."""
    yield prefix + field.name
    if pa.types.is_struct(field.type):
        for nested in field.type:
            yield from _names(nested, f"{prefix}{field.name}.")


def _beginnings(name: str) -> Iterator[str]:
    """The names that the outermost column of a path may have: names may have dots too."""
    parts = name.split(".")
    yield from (".".join(parts[: count + 1]) for count in range(len(parts)))


def _array(rows: pa.RecordBatch, name: str) -> pa.Array:
    if name in rows.schema.names:
        return rows.column(name)
    first, *parts = name.split(".")
    return pc.struct_field(rows.column(first), parts)


def _sound(column: Column) -> pa.Array:
    """The values, checked: Arrow takes lengths, indexes and text from the file as they are. Raises InvalidFile, or ArrowInvalid."""
    try:
        column.array.validate(full=True)
    except pa.ArrowInvalid:
        if (index := _first_undecodable(column.array)) is None:
            raise
        raise column.invalid(index, "is text that is not UTF-8", InvalidReason.UNDECODABLE) from None
    return column.array


def _first_undecodable(array: pa.Array) -> int | None:
    for index, value in enumerate(array):
        try:
            value.as_py()
        except UnicodeDecodeError:
            return index
    return None
