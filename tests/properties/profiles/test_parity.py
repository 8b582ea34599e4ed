"""Today's features, written as a catalog, have the bits of today's fold: features, statuses and what windows cover."""

from collections.abc import Sequence

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.expressions.vector.columns import Chunk, Texts, Values, numbers
from app.features import fold as today
from app.features.fold import APPLIED, Events, Folded
from app.features.window import Bounds
from app.profiles.features import Features
from app.profiles.inputs import Arrivals, digest
from app.profiles.plan import plan
from tests.properties.recount import FAR_LATE, LATENESS_MS, Arrival, as_events, journeys, with_repeats
from tests.support.catalogs.today import TODAY
from tests.support.paths import SHARED

HANDBOOK = SHARED / "data" / "handbook" / "transactions.parquet"
FEATURES = Features(plan(TODAY))
TOPIC_ID = 2**64 - 1


def chunk_of(events: Events, terminals: Texts) -> Chunk:
    """The events as fields of the catalog."""
    present = np.ones(len(events.time_ms), np.bool_)
    columns = (
        Values(events.time_ms, present),
        Values(events.amount_minor, present),
        terminals,
        numbers(events.latitude),
        numbers(events.longitude),
    )
    return Chunk(columns, len(events.time_ms))


def terminals_of(numbers: Sequence[int]) -> Texts:
    texts = [f"t{number}" for number in sorted(set(numbers))]
    return Texts(np.array([texts.index(f"t{number}") for number in numbers], np.int32), tuple(texts))


def part_of(events: Events, rows: slice) -> Events:
    return Events._make(column[rows] for column in events)


def both(
    events: Events, terminals: Texts, bounds: Bounds, before: tuple[list[bytes], list[bytes]]
) -> tuple[Folded, Folded]:
    """The result of today's fold, and that of the catalog."""
    digests = np.array([digest(text) for text in terminals.distinct], np.int64)[terminals.codes]
    arrivals = Arrivals(events.customer, events.time_ms, events.transaction, events.offset)
    return (
        today.fold(before[0], events._replace(terminal=digests), bounds, TOPIC_ID),
        FEATURES.fold(before[1], FEATURES.prepare(chunk_of(events, terminals), arrivals), bounds, TOPIC_ID),
    )


def require_equal(expected: Folded, found: Folded) -> None:
    applied: NDArray[np.bool_] = expected.status == APPLIED
    assert np.array_equal(expected.status, found.status)
    for name in ("features", "late", "first_seen_ms", "evicted_ms"):
        of_today, of_catalog = (getattr(folded, name)[applied] for folded in (expected, found))
        assert np.array_equal(of_today, of_catalog, equal_nan=name == "features"), name


@settings(max_examples=300)
@given(
    with_repeats(journeys(FAR_LATE, customers=3)), st.sampled_from([1, 2, 3, 16, 4096]), st.integers(0, 40)
)
def test_every_column_has_the_bits_of_todays_fold(arrivals: list[Arrival], cap: int, first: int) -> None:
    """Late and repeated events, several customers, every cap; the second chunk continues from stored profiles."""
    bounds = Bounds(LATENESS_MS, cap)
    events, terminals = as_events(arrivals), terminals_of([arrival.terminal for arrival in arrivals])
    before: tuple[list[bytes], list[bytes]] = ([b""] * 3, [b""] * 3)
    for rows in (slice(0, first), slice(first, None)):
        part = part_of(events, rows)
        expected, found = both(part, Texts(terminals.codes[rows], terminals.distinct), bounds, before)
        require_equal(expected, found)
        before = expected.profiles, found.profiles


def test_a_slice_of_the_handbook_has_the_bits_of_todays_fold() -> None:
    """All transactions of 100 customers, in chunks."""
    if not HANDBOOK.is_file():
        pytest.skip("needs the Handbook's data set, which is not part of the project")
    table = pyarrow.parquet.read_table(HANDBOOK, filters=[("CUSTOMER_ID", "<", 100)]).sort_by("TX_DATETIME")
    count = len(table)
    events = Events(
        customer=table["CUSTOMER_ID"].to_numpy().astype(np.int64),
        time_ms=table["TX_DATETIME"].to_numpy().astype("datetime64[ms]").astype(np.int64),
        amount_minor=np.round(table["TX_AMOUNT"].to_numpy() * 100).astype(np.int64),
        terminal=np.zeros(count, np.int64),
        transaction=np.arange(count) * 7919,
        latitude=np.full(count, np.nan),
        longitude=np.full(count, np.nan),
        offset=np.arange(count),
    )
    terminals = terminals_of(table["TERMINAL_ID"].to_pylist())
    before: tuple[list[bytes], list[bytes]] = ([b""] * 100, [b""] * 100)
    for start in range(0, count, 5000):
        rows = slice(start, start + 5000)
        part = part_of(events, rows)
        expected, found = both(
            part, Texts(terminals.codes[rows], terminals.distinct), Bounds(LATENESS_MS, 4096), before
        )
        require_equal(expected, found)
        before = expected.profiles, found.profiles
    assert sum(map(len, before[1])) < sum(map(len, before[0]))
