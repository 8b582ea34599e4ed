"""The order of a file's rows. Features depend on it: they are computed from the rows before each row.

The stream processes records in order of arrival, with a few that come late. A row *goes back* where its event time is older
than the newest one before it by more than the allowed lateness, for which a worker keeps events. An export of a stream
has few such rows; in a file that is sorted by customer almost all go back.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from app.adapters.tabular.batches import Integers, TransactionBatch
from app.adapters.tabular.positions import position
from app.errors import InvalidFile

MOST_GOING_BACK = 0.01
"""Share of rows that may go back before the file is refused."""


class RowOrder(StrEnum):
    """``checked``: refuse a file whose rows are not in order of time. ``arrival``: as they are. ``sorted``: by event time."""

    CHECKED = "checked"
    ARRIVAL = "arrival"
    SORTED = "sorted"


class GoingBack:
    """Counts the rows that go back."""

    def __init__(self, allowed_ms: int) -> None:
        self.rows = 0
        self.count = 0
        self._allowed_ms = allowed_ms
        self._newest_ms = np.iinfo(np.int64).min + allowed_ms

    def add(self, event_time: Integers) -> Integers:
        """The indexes of the rows that go back, of the next rows of the file."""
        reached = np.maximum.accumulate(np.maximum(event_time, self._newest_ms))
        found = np.flatnonzero(event_time < reached - self._allowed_ms)
        self.rows += len(event_time)
        self.count += len(found)
        self._newest_ms = int(reached[-1]) if len(reached) else self._newest_ms
        return found


class OrderRule(NamedTuple):
    """How to treat the order of a file's rows."""

    order: RowOrder = RowOrder.CHECKED
    allowed_lateness_ms: int = 86_400_000
    """Age at which a row goes back; for ``checked``."""


AS_ARRIVED = OrderRule(RowOrder.ARRIVAL)


def in_order(batches: Iterable[TransactionBatch], path: Path, rule: OrderRule) -> Iterator[TransactionBatch]:
    """The same batches. Raises InvalidFile where ``rule`` checks their order and too many rows so far go back."""
    if rule.order is not RowOrder.CHECKED:
        yield from batches
        return
    allowed_ms = rule.allowed_lateness_ms
    going_back, first = GoingBack(allowed_ms), 0
    for batch in batches:
        found = going_back.add(batch.event_time)
        first = first or (batch.row(int(found[0])) if len(found) else 0)
        if going_back.count > MOST_GOING_BACK * going_back.rows:
            raise InvalidFile(
                f"{position(path, first)}: goes back in time by more than {allowed_ms / 3_600_000:g} h, as do "
                f"{going_back.count:,} of the first {going_back.rows:,} rows, and features need rows in order of arrival. "
                "Use --sort to process them by event time, or --as-arrived if the stream had them in this order."
            )
        yield batch
