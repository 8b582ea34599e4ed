"""A history as a matrix: one row per transaction, as a worker would have seen it, with its label."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.adapters.history import HistorySource, fold_history
from app.errors import InvalidFile
from app.features.fold import Profiles
from app.features.window import DAY_MS
from app.scoring.model import Rows


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """Columns of equal length, in file order."""

    rows: Rows
    frauds: NDArray[np.bool_]
    event_times: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frauds)

    def where(self, chosen: NDArray[np.bool_]) -> "Dataset":
        return Dataset(
            rows=self.rows[chosen], frauds=self.frauds[chosen], event_times=self.event_times[chosen]
        )

    @property
    def days(self) -> float:
        """Between the first and the last event."""
        return float(self.event_times.max() - self.event_times.min()) / DAY_MS if len(self) else 0.0


def read_dataset(source: HistorySource, profiles: Profiles, on_progress: Callable[[int], None]) -> Dataset:
    """Fold a labelled history. Raises InvalidFile when it has no labels or no rows."""
    rows, frauds, event_times, read = [], [], [], 0
    for part in fold_history(source, profiles):
        batch, applied = part.batch, part.applied
        if batch.is_fraud is None:
            raise InvalidFile(
                f"{source.path} has no labels: a column for is_fraud, or a mapping that names it"
            )
        rows.append(part.rows)
        frauds.append(batch.is_fraud[applied])
        event_times.append(batch.event_time[applied])
        read += len(batch)
        on_progress(read)
    if not rows:
        raise InvalidFile(f"{source.path} holds no transactions")
    return Dataset(
        rows=np.concatenate(rows), frauds=np.concatenate(frauds), event_times=np.concatenate(event_times)
    )
