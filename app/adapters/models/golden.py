"""Golden rows: feature vectors with the scores that their model gave when it was trained."""

import io
from pathlib import Path

import numpy as np

from app.errors import BundleCorrupt, GoldenRowMismatch
from app.features import catalog
from app.scoring.model import Rows, Scores

TOLERANCE = 1e-9
_SCORE = "score"


def write(path: Path, rows: Rows, scores: Scores) -> None:
    """Write rows, shape (rows, features), and their scores to a Parquet file."""
    from app.adapters.tabular.table_writer import ColumnType, TableWriter  # noqa: PLC0415  # see read

    schema: dict[str, ColumnType] = dict.fromkeys((*catalog.NAMES, _SCORE), "real")
    with TableWriter(path, schema) as table:
        table.write(dict(zip(catalog.NAMES, rows.T, strict=True)) | {_SCORE: scores})


def read(data: bytes, path: Path) -> tuple[Rows, Scores]:
    """The rows and scores in a file's bytes. Raises BundleCorrupt where they hold none."""
    import pyarrow as pa  # noqa: PLC0415  # a worker whose model was compared before has these rows without it
    import pyarrow.parquet  # noqa: PLC0415

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        columns = [table.column(name).to_numpy() for name in (*catalog.NAMES, _SCORE)]
        values = np.array(columns, dtype=np.float64)
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        raise BundleCorrupt(f"{path} holds no golden rows: {type(error).__name__}") from error
    if values.shape[1] == 0:
        raise BundleCorrupt(f"{path} holds no golden rows")
    return np.ascontiguousarray(values[:-1].T), values[-1]


def check(found: Scores, expected: Scores, path: Path) -> None:
    """Raise GoldenRowMismatch unless the scores equal the expected ones within TOLERANCE; NaN never does."""
    if not np.all((found >= 0) & (found <= 1)):
        raise GoldenRowMismatch(f"{path} gives a score that is NaN or outside [0, 1]. Train it again.")
    furthest = float(np.max(np.abs(found - expected)))
    if not furthest <= TOLERANCE:
        raise GoldenRowMismatch(
            f"{path} scores its golden rows differently, by up to {furthest:.3g} (allowed {TOLERANCE:g}). "
            "The libraries differ from those it was trained with, or the bundle was altered: train it again."
        )
