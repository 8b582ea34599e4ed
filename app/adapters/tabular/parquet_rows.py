"""Reads the wanted columns of a Parquet file, in bounded memory."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from app.adapters.tabular.wanted_columns import WantedColumns
from app.errors import InvalidFile


def parquet_rows(path: Path, wanted: WantedColumns, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """The rows in order. Raises InvalidFile, or what Arrow raises for a file that it cannot read."""
    if not path.stat().st_size:
        raise InvalidFile(f"{path} is empty")
    # With pre_buffer Arrow would hold whole row groups; without it pages are read on demand and memory stays bounded.
    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
        found = wanted.found_in(path, file.schema_arrow.names)
        yield from file.iter_batches(batch_rows, columns=found, use_threads=False)
