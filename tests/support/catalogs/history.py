"""Histories of customers with every kind of field, for random catalogs: late events, ties in time, missing values."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from app.catalog.definitions import Field
from app.domain.identifiers import signed_digest
from app.expressions.cells import Cell
from app.expressions.names import Kind
from app.expressions.vector.columns import chunk_of
from app.features.fold import Folded
from app.features.window import Bounds
from app.profiles.features import Features
from app.profiles.inputs import Arrivals

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = 1_700_000_000_000
LATENESS_MS = 6 * HOUR_MS
BOUNDS = Bounds(LATENESS_MS, 4096)
WINDOWS_MS = (MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS, 31 * DAY_MS)

FIELDS = (
    Field(name="amount", kind=Kind.MONEY, required=True, declared=False),
    Field(name="balance", kind=Kind.MONEY),
    Field(name="terminal_id", kind=Kind.IDENTIFIER),
    Field(name="country", kind=Kind.CATEGORY, values=("CH", "DE", "FR")),
    Field(name="channel", kind=Kind.CATEGORY, values=("ecom", "pos"), required=True),
    Field(name="score", kind=Kind.NUMBER, decimals=2),
    Field(name="trusted", kind=Kind.BOOLEAN),
    Field(name="opened_at", kind=Kind.TIME),
    Field(name="latitude", kind=Kind.NUMBER, declared=False),
    Field(name="longitude", kind=Kind.NUMBER, declared=False),
)
_STEPS_MS = st.one_of(
    st.just(0),
    st.integers(0, 3 * HOUR_MS),
    st.integers(0, 9 * DAY_MS),
    st.sampled_from([width + step for width in WINDOWS_MS for step in (-1, 0, 1)]),
)
_AMOUNTS = st.one_of(st.integers(0, 20), st.integers(0, 10**6), st.sampled_from([2**25 - 1, 2**25, 10**15]))
_CELLS: dict[str, st.SearchStrategy[Cell]] = {
    "amount": _AMOUNTS,
    "balance": st.none() | st.integers(-3, 3) | _AMOUNTS.map(lambda amount: -amount),
    "terminal_id": st.none() | st.sampled_from(["t1", "t2", "t3"]),
    "country": st.none() | st.sampled_from(["CH", "DE", "FR"]),
    "channel": st.sampled_from(["ecom", "pos"]),
    "score": st.none()
    | st.integers(-300, 300).map(lambda cents: cents / 200)
    | st.floats(-1e7, 1e7, allow_nan=False),
    "trusted": st.none() | st.booleans(),
    "opened_at": st.none() | st.integers(START_MS - 10, START_MS),
    "latitude": st.none(),
    "longitude": st.none(),
}


class Event(NamedTuple):
    """One event as it arrives."""

    customer: int
    time_ms: int
    cells: tuple[Cell, ...]
    """In the order of FIELDS."""

    def cell(self, name: str) -> Cell:
        return self.cells[[field.name for field in FIELDS].index(name)]


@st.composite
def histories(draw: st.DrawFn, customers: int = 2, most: int = 30) -> list[Event]:
    """Events in order of arrival, none later than allowed."""
    newest_ms, found = [START_MS] * customers, list[Event]()
    for _ in range(draw(st.integers(1, most))):
        customer = draw(st.integers(0, customers - 1))
        back = draw(st.sampled_from([False, False, True]))
        step = -draw(st.integers(0, LATENESS_MS)) if back else draw(_STEPS_MS)
        time_ms = newest_ms[customer] + step
        newest_ms[customer] = max(newest_ms[customer], time_ms)
        found.append(Event(customer, time_ms, tuple(draw(_CELLS[field.name]) for field in FIELDS)))
    return found


def folded(
    features: Features,
    events: Sequence[Event],
    profiles: Sequence[bytes],
    first: int = 0,
    bounds: Bounds = BOUNDS,
) -> Folded:
    """The events folded in one chunk; ``first`` is the offset of the first one, and ids are made of offsets."""
    offsets = range(first, first + len(events))
    chunk = chunk_of([event.cells for event in events], [field.kind for field in FIELDS])
    arrivals = Arrivals(
        np.array([event.customer for event in events], np.int64),
        np.array([event.time_ms for event in events], np.int64),
        np.array([signed_digest(str(offset)) for offset in offsets], np.int64),
        np.array(offsets, np.int64),
    )
    return features.fold(profiles, features.prepare(chunk, arrivals), bounds)
