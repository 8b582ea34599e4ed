"""Several partitions as one history: each in its own order, and none far ahead of the others."""

import asyncio
from collections.abc import AsyncIterator
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from app.domain.transaction import Transaction
from app.replay.exported import in_order

EVENT_MS = 1_760_000_000_000
SLICES = st.lists(st.lists(st.integers(0, 50), max_size=4), max_size=4)


def transaction(log: int, number: int, time: int) -> Transaction:
    return Transaction(
        transaction_id=f"{log}-{number}",
        customer_id="c",
        terminal_id="m",
        event_time=EVENT_MS + time,
        amount_minor=1,
        currency="EUR",
    )


async def slices(found: list[list[Transaction]]) -> AsyncIterator[list[Transaction]]:
    for each in found:
        yield each


@given(st.lists(SLICES, min_size=1, max_size=4))
def test_each_log_keeps_its_order_and_none_runs_ahead_of_the_others(times: list[list[list[int]]]) -> None:
    """The order is that of the event time that each log has reached, as if all of it were sorted at once."""
    logs = [
        [
            [transaction(log, 10 * at + number, time) for number, time in enumerate(slice_)]
            for at, slice_ in enumerate(of_log)
        ]
        for log, of_log in enumerate(times)
    ]

    async def merged() -> list[str]:
        return [one.transaction_id async for one in in_order([slices(found) for found in logs])]

    keys = []
    for log, found in enumerate(logs):
        flat = [one for slice_ in found for one in slice_]
        reached = accumulate((one.event_time for one in flat), max)
        keys += [
            (time, log, number, one.transaction_id)
            for number, (time, one) in enumerate(zip(reached, flat, strict=True))
        ]
    assert asyncio.run(merged()) == [name for *_, name in sorted(keys)]
