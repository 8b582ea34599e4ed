"""Transactions with a score and the truth: what every figure of a model is computed from."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.features.window import DAY_MS
from app.scoring.model import Scores

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Judged(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Columns of equal length."""

    scores: Scores
    frauds: Flags
    event_times: Integers
    customers: Integers
    """Numbers that stand for customers."""
    amounts_minor: Integers
    patterns: Integers
    """Indexes into ``pattern_names``; 0 where there is none."""
    pattern_names: tuple[str, ...] = ("",)

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, chosen: Flags) -> "Judged":
        return msgspec.structs.replace(self, **{name: getattr(self, name)[chosen] for name in _COLUMNS})

    @property
    def days(self) -> Integers:
        """Since the epoch, UTC."""
        return self.event_times // DAY_MS

    @property
    def day_count(self) -> int:
        """From the first day to the last, both included."""
        return int(self.days.max() - self.days.min()) + 1 if len(self) else 0


_COLUMNS = Judged.__struct_fields__[:-1]


def joined(parts: Sequence[Judged]) -> Judged:
    """All parts as one; the last knows the names of all patterns."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return msgspec.structs.replace(parts[-1], **columns)
