"""Recognises repeated decisions by their source offsets, of which one that cannot exist must not make all later ones repeats.

A decision whose source offset lies behind the end of its partition of transactions is forged, or was mirrored from another cluster.
It is stored, and compared with others of its kind only.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.adapters.parquet_sink.row_schemas import FeedRows


class Reached(NamedTuple):
    """The greatest source offsets among the decisions of a partition up to here; -1 without any."""

    decided_to: int = -1
    decided_beyond: int = -1
    """Of those behind the end of the partition of transactions."""


class Marked(NamedTuple):
    """The rows with ``repeated`` set, the offsets after them, and how many rows lie behind the end."""

    batch: pa.RecordBatch
    reached: Reached
    beyond: int = 0


def marked(rows: FeedRows, before: Reached, source_end: int) -> Marked:
    """Compare ``rows``, which were parsed with the ``decided_to`` of ``before``, with the end of their partition of transactions."""
    if rows.decided_to < source_end:
        return Marked(rows.batch, before._replace(decided_to=rows.decided_to))
    if (
        before.decided_to >= source_end
    ):  # of an earlier release, or read from the files: it bounds no genuine decision
        before = Reached(-1, max(before))
    sources = rows.batch.column("source_offset").to_numpy()
    beyond = sources >= source_end
    within_to = _accumulated(before.decided_to, np.where(beyond, -1, sources))
    beyond_to = _accumulated(before.decided_beyond, np.where(beyond, sources, -1))
    repeated = sources <= np.where(beyond, beyond_to[:-1], within_to[:-1])
    index = rows.batch.schema.get_field_index("repeated")
    batch = rows.batch.set_column(index, "repeated", pa.array(repeated))
    return Marked(batch, Reached(int(within_to[-1]), int(beyond_to[-1])), int(beyond.sum()))


def _accumulated(before: int, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The greatest offset before each of ``offsets``, and at last behind all."""
    found: NDArray[np.int64] = np.maximum.accumulate(np.concatenate([[before], offsets]))
    return found
