"""Reads the wanted columns of a Parquet file, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from app.adapters.tabular.column import Column
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
        first_row = 1
        for rows in file.iter_batches(batch_rows, columns=found, use_threads=False):
            columns = [
                Column(path=path, name=name, first_row=first_row, array=_array(rows, name)) for name in found
            ]
            yield pa.RecordBatch.from_arrays([_sound(column) for column in columns], names=found)
            first_row += rows.num_rows


def _names(field: pa.Field, prefix: str = "") -> Iterator[str]:
    """The field's name, and the paths with dots of the fields nested in it."""
    yield prefix + field.name
    if pa.types.is_struct(field.type):
        for nested in field.type:
            yield from _names(nested, f"{prefix}{field.name}.")


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
