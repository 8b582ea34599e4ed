"""The delayed entities: things that a transaction names and whose past fraud predicts fraud, such as terminals.

A further entity (device, card, merchant) is one entry of ``ENTITIES`` and a new version of the catalog.

Fraud is reported late, so the windows end a delay before the transaction (Fraud Detection Handbook, chapter 3). For a
transaction at time t, ``end`` is ``floor_to_hour(t - 7 days)`` and a window of width w is ``(end - w, end]`` in event time,
over the accepted transactions of the entity. Labels reported up to ``floor_to_hour(t)`` are known; the last of several
for one transaction counts. Full hours make the value a pure function of the logs, independent of the worker::

    (end - 30d                 end]        7 days        floor_to_hour(t)  t      time ->
      a  b  c  d  e  f  g  h  i |  j  k  l  m  n  o  p  q  r  s  t  u  v |  w
      `-- counted, with their labels up to floor_to_hour(t) -------------' later labels are not known
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.window import DAY_MS, HOUR_MS

DELAY_MS = 7 * DAY_MS
DELAYED_WIDTHS_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
"""Widths of the windows of every delayed entity, ascending."""
DELAYED_WINDOW_NAMES = ("1d", "7d", "30d")
DELAYED_WINDOWS = len(DELAYED_WIDTHS_MS)

DELAY_HOURS = DELAY_MS // HOUR_MS
DELAYED_WIDTHS_HOURS = tuple(width // HOUR_MS for width in DELAYED_WIDTHS_MS)


class Function(StrEnum):
    """What is computed from one window of an entity."""

    COUNT = "count"
    """Number of transactions."""
    FRAUDS = "frauds"
    """Number of them that are known to be fraud; never more than COUNT."""
    RISK = "risk"
    """FRAUDS / COUNT; 0.0 if COUNT is 0."""


class DelayedEntity(NamedTuple):
    """One kind of entity that transactions share."""

    name: str
    """The first word of the names of its features and of its keys."""
    field: str
    """The field of a transaction that names the entity. If an optional field is missing, the features are NaN."""
    functions: tuple[Function, ...]
    windows: tuple[int, ...]
    """Indexes of DELAYED_WIDTHS_MS."""

    @property
    def features(self) -> Iterator[tuple[Function, int]]:
        """Function and window of each column, in order."""
        return ((function, window) for function in self.functions for window in self.windows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.functions) * len(self.windows)

    def key(self, value: str) -> str:
        """Return the key of an entity, unique among all kinds."""
        return f"{self.name}:{value}"


ENTITIES: tuple[DelayedEntity, ...] = (
    DelayedEntity("terminal", "terminal_id", (Function.COUNT, Function.RISK), (0, 1, 2)),
    DelayedEntity("customer", "customer_id", (Function.FRAUDS,), (2,)),
)


def columns(entity: DelayedEntity, counted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the features of an entity, shape (rows, width), from the counts of ``observe``, shape (rows, COUNTS)."""
    counts, labelled = counted[:, :DELAYED_WINDOWS], counted[:, DELAYED_WINDOWS:]
    frauds = np.minimum(counts, labelled)  # a label can arrive before its transaction
    risks = np.divide(frauds, counts, out=np.zeros_like(counts), where=counts > 0)
    computed = {Function.COUNT: counts, Function.FRAUDS: frauds, Function.RISK: risks}
    chosen = [computed[function][:, window] for function, window in entity.features]
    return np.stack(chosen, axis=1)
