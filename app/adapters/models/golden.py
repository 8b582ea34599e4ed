"""Golden rows: feature vectors with the scores that their model gave when it was trained."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.adapters.models.checks.limits import DEFAULT_LIMITS, Limits
from app.adapters.parquet_format.pages import unpacked_sizes
from app.domain.words import named
from app.errors import BundleCorrupt, GoldenRowMismatch
from app.scoring.model import Rows, Scores

TOLERANCE = 1e-9
_SCORE = "score"
_MOST_ITEMS = 1_000
"""Items of a list in the footer; Arrow makes an object of 100 bytes and more of each."""
_MOST_LEVEL_BYTES = 1_024
"""What the pages of a column have besides its numbers."""
_ITEM_BYTES = 16
"""A number, twice: Parquet may store it together with its level."""


def write(path: Path, features: Sequence[str], rows: Rows, scores: Scores) -> None:
    """Write rows, shape (rows, features), and their scores to a Parquet file; ``features`` are the names of the columns."""
    from app.adapters.tabular.table_writer import ColumnType, TableWriter  # noqa: PLC0415  # see read

    schema: dict[str, ColumnType] = dict.fromkeys((*features, _SCORE), "real")
    with TableWriter(path, schema) as table:
        table.write(dict(zip(features, rows.T, strict=True)) | {_SCORE: scores})


def read(
    data: bytes, path: Path, features: Sequence[str], limits: Limits = DEFAULT_LIMITS
) -> tuple[Rows, Scores]:
    """The rows, whose columns are ``features``, and scores in a file's bytes. Raises BundleCorrupt where they hold none, or more than the limits allow."""
    import pyarrow as pa  # noqa: PLC0415  # a worker whose model was compared before has these rows without it
    import pyarrow.parquet  # noqa: PLC0415

    try:
        file = pyarrow.parquet.ParquetFile(
            io.BytesIO(data), thrift_container_size_limit=_MOST_ITEMS, thrift_string_size_limit=len(data)
        )
        _check_sizes(file, data, features, limits)
        table = file.read()
        columns = [table.column(name).to_numpy() for name in (*features, _SCORE)]
        values = np.array(columns, dtype=np.float64)
    except (pa.ArrowException, KeyError, ValueError, OSError, MemoryError) as error:
        raise BundleCorrupt(f"{path} holds no golden rows: {named(error)}") from error
    if values.shape[1] == 0:
        raise BundleCorrupt(f"{path} holds no golden rows")
    return np.ascontiguousarray(values[:-1].T), values[-1]


def _check_sizes(file: Any, data: bytes, features: Sequence[str], limits: Limits) -> None:
    """Check what reading the file would allocate. Raises BundleCorrupt, or ValueError where it is damaged."""
    found = file.metadata
    if found.num_rows > limits.golden_rows:
        raise BundleCorrupt(
            f"the bundle has {found.num_rows:,} golden rows, allowed are {limits.golden_rows:,} (FRAUDSTREAM_MODEL_MAX_GOLDEN_ROWS)"
        )
    expected = {(name, "double") for name in (*features, _SCORE)}
    if {(field.name, str(field.type)) for field in file.schema_arrow} != expected:
        raise ValueError("other columns than the numbers of the features")
    if found.num_row_groups != 1:
        raise ValueError("golden rows are one group of rows")
    columns = [found.row_group(0).column(at) for at in range(found.num_columns)]
    if sum(column.total_compressed_size for column in columns) > len(data):
        raise ValueError("columns that overlap")
    unpacked = sum(_unpacked_bytes(column, data) for column in columns)
    if unpacked > len(columns) * (_MOST_LEVEL_BYTES + limits.golden_rows * _ITEM_BYTES):
        raise BundleCorrupt(f"the golden rows unpack to {unpacked:,} bytes")


def _unpacked_bytes(column: Any, data: bytes) -> int:
    begin = column.data_page_offset
    return sum(unpacked_sizes(data, begin, begin + column.total_compressed_size))


def check(found: Scores, expected: Scores, path: Path) -> None:
    """Raise GoldenRowMismatch unless the scores equal the expected ones within TOLERANCE; NaN never does."""
    if found.shape != expected.shape:
        raise GoldenRowMismatch(f"{path} gives scores of shape {found.shape} for {len(expected)} rows.")
    if not np.all((found >= 0) & (found <= 1)):
        raise GoldenRowMismatch(f"{path} gives a score that is NaN or outside [0, 1]. Train it again.")
    furthest = float(np.max(np.abs(found - expected)))
    if not furthest <= TOLERANCE:
        raise GoldenRowMismatch(
            f"{path} scores its golden rows differently, by up to {furthest:.3g} (allowed {TOLERANCE:g}). "
            "The libraries differ from those it was trained with, or the bundle was altered: train it again."
        )
