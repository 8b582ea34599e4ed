"""Transactions with scores and labels, from which every figure of a model is computed."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.features.window import DAY_MS
from app.scoring.model import Scores

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class ScoredDataset(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Columns of equal length."""

    scores: Scores
    frauds: Flags
    event_times: Integers
    customers: Integers
    """Customers as numbers."""
    amounts_minor: Integers
    patterns: Integers
    """Indexes of ``pattern_names``; 0 for none."""
    pattern_names: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, chosen: Flags) -> "ScoredDataset":
        return msgspec.structs.replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    @property
    def days(self) -> Integers:
        """Days since the epoch, UTC."""
        return self.event_times // DAY_MS

    @property
    def day_count(self) -> int:
        """Number of days from the first to the last, both included."""
        return int(self.days.max() - self.days.min()) + 1 if len(self) else 0


_COLUMNS = ScoredDataset.__struct_fields__[:-1]


def joined(parts: Sequence[ScoredDataset]) -> ScoredDataset:
    """Return all parts as one; the last part has the names of all patterns."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return msgspec.structs.replace(parts[-1], **columns)
