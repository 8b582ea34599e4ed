"""The delayed entities: what a transaction touches besides its customer's profile, and whose past fraud is worth knowing.

A further entity (device, card, merchant) is one line of ``ENTITIES`` and a new version of the catalog.

Fraud is known late, so their windows end a delay before the transaction. For one at time t: ``end`` is
``floor_to_hour(t - 7 days)`` and a window of width w is ``(end - w, end]`` in event time, over the accepted
transactions of the entity. Known are the labels reported up to ``floor_to_hour(t)``; of several for one transaction
the one reported last counts. Hours make the value a pure function of the logs, whoever folds them::

    (end - 30d                 end]        7 days        floor_to_hour(t)  t      time ->
      a  b  c  d  e  f  g  h  i |  j  k  l  m  n  o  p  q  r  s  t  u  v |  w
      `-- counted, with what is known of them by now --------------------' labels of later are not
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features.window import DAY_MS, HOUR_MS

DELAY_MS = 7 * DAY_MS
DELAYED_WIDTHS_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
"""The windows of every delayed entity, ascending."""
DELAYED_WINDOW_NAMES = ("1d", "7d", "30d")
DELAYED_WINDOWS = len(DELAYED_WIDTHS_MS)

DELAY_HOURS = DELAY_MS // HOUR_MS
DELAYED_WIDTHS_HOURS = tuple(width // HOUR_MS for width in DELAYED_WIDTHS_MS)


class Function(StrEnum):
    """What is told about one window of an entity."""

    COUNT = "count"
    """Transactions."""
    FRAUDS = "frauds"
    """Of them known to be fraud; never more than there are."""
    RISK = "risk"
    """FRAUDS / COUNT, 0.0 when the count is 0."""


class DelayedEntity(NamedTuple):
    """One kind of thing that transactions share."""

    name: str
    """The first word of its features' names and of its keys."""
    field: str
    """Of a transaction: says which one it is. Where an optional field is left out, the features are NaN."""
    functions: tuple[Function, ...]
    windows: tuple[int, ...]
    """Indexes of DELAYED_WIDTHS_MS."""

    @property
    def features(self) -> Iterator[tuple[Function, int]]:
        """Function and window of each of its columns, in order."""
        return ((function, window) for function in self.functions for window in self.windows)

    @property
    def width(self) -> int:
        """How many columns it has."""
        return len(self.functions) * len(self.windows)

    def key(self, value: str) -> str:
        """Names one entity among those of all kinds."""
        return f"{self.name}:{value}"


ENTITIES: tuple[DelayedEntity, ...] = (
    DelayedEntity("terminal", "terminal_id", (Function.COUNT, Function.RISK), (0, 1, 2)),
    DelayedEntity("customer", "customer_id", (Function.FRAUDS,), (2,)),
)


def columns(entity: DelayedEntity, known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entity's features from what ``observe`` told: a row for each of its rows."""
    counts, labelled = known[:, :DELAYED_WINDOWS], known[:, DELAYED_WINDOWS:]
    frauds = np.minimum(counts, labelled)
    risks = np.divide(frauds, counts, out=np.zeros_like(counts), where=counts > 0)
    told = {Function.COUNT: counts, Function.FRAUDS: frauds, Function.RISK: risks}
    chosen = [told[function][:, window] for function, window in entity.features]
    return np.stack(chosen, axis=1)
