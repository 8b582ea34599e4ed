"""Rows without the features of delayed entities, as a worker scores them while Redis is unreachable."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.scoring.model import Rows
from app.training.scored_dataset import Integers

_STREAM = 1
"""Separates this random stream from the draw of legitimate rows, which has the same seed."""


@contextmanager
def partly_absent(rows: Rows, delayed: Integers, share: float, seed: int) -> Iterator[None]:
    """Within the context, a ``share`` of the rows has no entity features, in the columns ``delayed``; afterwards all rows are as before.

    The rows are changed in place, because a copy of a large history would not fit in memory.
    """
    drawn = np.random.default_rng([seed, _STREAM]).random(len(rows)) < share
    chosen = np.ix_(np.flatnonzero(drawn), delayed)
    known = rows[chosen]
    rows[chosen] = np.nan
    try:
        yield
    finally:
        rows[chosen] = known


def absent(rows: Rows, delayed: Integers) -> Rows:
    """Return a copy of the rows without entity features, which are the columns ``delayed``."""
    copied = rows.copy()
    copied[:, delayed] = np.nan
    return copied
