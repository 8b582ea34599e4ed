"""Rows without the features of delayed entities, as a worker scores them while Redis is unreachable."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.features import catalog
from app.scoring.model import Rows

_STREAM = 1
"""Separates this random stream from the draw of legitimate rows, which has the same seed."""


@contextmanager
def partly_absent(rows: Rows, share: float, seed: int) -> Iterator[None]:
    """Within the context, a ``share`` of the rows has no entity features; afterwards all rows are as before.

    The rows are changed in place, because a copy of a large history would not fit in memory.
    """
    drawn = np.random.default_rng([seed, _STREAM]).random(len(rows)) < share
    chosen = np.flatnonzero(drawn)
    known = rows[chosen, catalog.DELAYED]
    rows[chosen, catalog.DELAYED] = np.nan
    try:
        yield
    finally:
        rows[chosen, catalog.DELAYED] = known


def absent(rows: Rows) -> Rows:
    """Return a copy of the rows without entity features."""
    copied = rows.copy()
    copied[:, catalog.DELAYED] = np.nan
    return copied
