"""Rows as a worker sees them while Redis is away: without a feature of any delayed entity."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from app.features import catalog
from app.scoring.model import Rows

_STREAM = 1
"""Apart from the draw of legitimate rows, which has the same seed."""


@contextmanager
def partly_absent(rows: Rows, share: float, seed: int) -> Iterator[None]:
    """Within, a ``share`` of the rows is such. Afterwards all are as before: a history is in memory once only."""
    drawn = np.random.default_rng([seed, _STREAM]).random(len(rows)) < share
    chosen = np.flatnonzero(drawn)
    known = rows[chosen, catalog.DELAYED]
    rows[chosen, catalog.DELAYED] = np.nan
    try:
        yield
    finally:
        rows[chosen, catalog.DELAYED] = known


def absent(rows: Rows) -> Rows:
    """A copy of them, all such."""
    copied = rows.copy()
    copied[:, catalog.DELAYED] = np.nan
    return copied
