"""Random events of customers, as the columns that both folds take."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.features import fold as today
from app.profiles import fold as profiles
from app.profiles.kept import FIRST_COLUMN, FLAGS, IDS, LIVE, TIMES
from app.profiles.plan import Plan

Integers = NDArray[np.int64]


class Period(NamedTuple):
    """When and where in the log events are."""

    first: int
    """Offset of the first event."""
    begin_ms: int
    span_ms: int


class Traffic(NamedTuple):
    """Columns of events."""

    customer: Integers
    time_ms: Integers
    amount: Integers
    terminal: Integers
    transaction: Integers
    flags: Integers
    offset: Integers


def traffic(plan: Plan, customers: int, events: int, period: Period) -> Traffic:
    """Events of each customer, in order of time."""
    random = np.random.default_rng(period.first + events)
    count = events * customers
    amount, digests = random.integers(100, 50_000, count), random.integers(-(2**63), 2**63 - 1, (2, count))
    flags = LIVE | sum(
        (amount > number * 1_000) * (LIVE << 1 + number) for number in range(len(plan.kept.filters))
    )
    return Traffic(
        np.tile(np.arange(customers), events),
        period.begin_ms + np.sort(random.integers(0, period.span_ms, count)),
        amount,
        digests[0, random.integers(0, min(count, 50), count)],
        digests[1],
        np.broadcast_to(flags, count).astype(np.int64),
        np.arange(period.first, period.first + count),
    )


def inputs(plan: Plan, events: Traffic) -> profiles.Inputs:
    """Events for the fold of a catalog."""
    rows = np.empty((len(events.customer), plan.kept.rows), np.int64)
    rows[:, TIMES], rows[:, IDS], rows[:, FLAGS] = events.time_ms, events.transaction, events.flags
    columns = {"amount": events.amount, "terminal_id": events.terminal}
    for number, column in enumerate(plan.kept.columns, start=FIRST_COLUMN):
        rows[:, number] = columns[column.name]
    nowhere = np.full(len(rows), np.nan)
    return profiles.Inputs(events.customer, rows, nowhere, nowhere, events.offset)


def of_today(events: Traffic) -> today.Events:
    """Events for today's fold."""
    nowhere = np.full(len(events.customer), np.nan)
    return today.Events(*events[:5], nowhere, nowhere, events.offset)
