"""Runs a worker at a constant rate and measures whether its memory grows."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from bench.data.customers import Customers
from bench.harness.observed_worker import ObservedWorker

SAMPLES = 360
SHORTEST_SAMPLE_SECONDS = 1.0
WARM_UP_SHARE = 0.25
"""Share of the phase that is left out of its slope."""
MIB = 1024 * 1024


class Steady(NamedTuple):
    """A phase with random customers at ``rate`` events per second, after every customer has paid."""

    customers: Customers
    rate: float
    hours: float

    @property
    def events(self) -> int:
        return int(self.rate * self.hours * 3600)


async def resident(phase: Steady, observed: ObservedWorker) -> list[tuple[float, int]]:
    """Run the phase; return samples of seconds and resident bytes until the last event is decided."""
    payers = islice(phase.customers.anyone(seed=1), phase.events)
    sending = asyncio.create_task(
        observed.send(phase.customers.transactions(payers, phase.customers.events), phase.rate)
    )
    every = max(SHORTEST_SAMPLE_SECONDS, phase.hours * 3600 / SAMPLES)
    samples, begin = [], time.monotonic()
    while not sending.done():
        samples.append((round(time.monotonic() - begin, 1), observed.memory().rss))
        await asyncio.wait([sending], timeout=every)
    await sending
    await observed.decided(phase.customers.events + phase.events)
    return [*samples, (round(time.monotonic() - begin, 1), observed.memory().rss)]


def row(phase: Steady, samples: Sequence[tuple[float, int]]) -> dict[str, Any]:
    """Return the row of the result file."""
    slope = slope_bytes_per_hour(samples)
    return {
        "contestant": "ours",
        "workers": 1,
        "customers": phase.customers.number,
        "steady": {
            "rate": phase.rate,
            "seconds": samples[-1][0],
            "rss_bytes": samples,
            "slope_bytes_per_hour": round(slope),
            "slope_share_per_hour": round(slope / samples[-1][1], 4),
        },
    }


def slope_bytes_per_hour(samples: Sequence[tuple[float, int]]) -> float:
    """Return the slope of the regression line through the samples after the warm-up; 0 for fewer than two.

    >>> slope_bytes_per_hour([(0, 7), (1800, 100), (3600, 150)])
    100.0
    """
    seconds, sizes = zip(*(s for s in samples if s[0] >= samples[-1][0] * WARM_UP_SHARE), strict=True)
    if len(seconds) < 2:
        return 0.0
    return statistics.linear_regression(seconds, sizes).slope * 3600


def summary(steady: Mapping[str, Any]) -> str:
    """Describe the phase in one line."""
    first, last = steady["rss_bytes"][0][1], steady["rss_bytes"][-1][1]
    return (
        f"{steady['seconds']:,.0f} s at {steady['rate']:,.0f} events/s: {first / MIB:,.1f} to {last / MIB:,.1f} MiB, "
        f"{steady['slope_bytes_per_hour'] / MIB:+,.1f} MiB an hour"
    )
