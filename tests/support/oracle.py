"""The expected results: the source log folded by a few lines that share no code with the service.

The features of each transaction are recounted from all earlier transactions of its customer.
"""

import json
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import chain
from math import nan, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WINDOWS_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
LATENESS_MS = DAY_MS
MOST_EVENTS = 4096
"""More events of a customer are evicted, the oldest first."""
KEPT_MS = WINDOWS_MS[-1] + LATENESS_MS
"""An event this much older than the customer's newest is evicted and is no later event's predecessor."""

FEATURES = (
    "transaction_amount",
    "transaction_hour",
    "transaction_weekend",
    "customer_count_1h",
    "customer_amount_sum_1h",
    "customer_amount_mean_1h",
    "customer_amount_std_1h",
    "customer_count_1d",
    "customer_amount_sum_1d",
    "customer_amount_mean_1d",
    "customer_amount_std_1d",
    "customer_count_7d",
    "customer_amount_sum_7d",
    "customer_amount_mean_7d",
    "customer_amount_std_7d",
    "customer_count_30d",
    "customer_amount_sum_30d",
    "customer_amount_mean_30d",
    "customer_amount_std_30d",
    "customer_amount_ratio_7d",
    "customer_amount_zscore_7d",
    "customer_amount_ratio_30d",
    "customer_amount_zscore_30d",
    "customer_terminal_count_30d",
    "customer_seconds_since_last",
    "customer_travel_kmh",
    "terminal_count_1d",
    "terminal_count_7d",
    "terminal_count_30d",
    "terminal_risk_1d",
    "terminal_risk_7d",
    "terminal_risk_30d",
    "customer_frauds_30d",
)
"""In the order of a decision's ``features``."""
OF_PROFILE = 26
"""The number of features from the customer's profile; without activities the others are missing."""


class Event(NamedTuple):
    """One transaction of the source log."""

    transaction_id: str
    time_ms: int
    amount: int
    terminal: str
    offset: int


class Customer(NamedTuple):
    """One customer's transactions, in order of offset, each once."""

    partition: int
    events: list[Event]

    @property
    def applied(self) -> int:
        return len(self.events)

    @property
    def last_offset(self) -> int:
        return self.events[-1].offset

    @property
    def sums(self) -> tuple[int, ...]:
        """Sum of amounts per window as of the newest event."""
        kept = sorted(self.events, key=lambda event: (event.time_ms, event.offset))[-MOST_EVENTS:]
        newest = kept[-1].time_ms
        return tuple(
            sum(event.amount for event in kept if event.time_ms > newest - width) for width in WINDOWS_MS
        )


def fold(*logs: Iterable[Any]) -> dict[str, Customer]:
    """The customers of one or more consecutive source logs of valid records. A transaction counts at its first record."""
    customers: dict[str, Customer] = {}
    seen: set[str] = set()
    in_order = (sorted(log, key=lambda record: (record.partition, record.offset)) for log in logs)
    for record in chain.from_iterable(in_order):
        fields = json.loads(record.value)
        if fields["transaction_id"] in seen:
            continue
        seen.add(fields["transaction_id"])
        customer = customers.setdefault(fields["customer_id"], Customer(record.partition, []))
        assert customer.partition == record.partition
        customer.events.append(
            Event(
                fields["transaction_id"],
                fields["event_time"],
                fields["amount_minor"],
                fields["terminal_id"],
                record.offset,
            )
        )
    return customers


def expected_features(customer: Customer) -> dict[str, list[float]]:
    """The features by transaction id, of transactions within the allowed lateness and without a location."""
    events = customer.events
    times = np.array([event.time_ms for event in events], dtype=np.int64)
    amounts = np.array([event.amount for event in events], dtype=np.int64)
    _, terminals = np.unique([event.terminal for event in events], return_inverse=True)
    assert len(events) ** 2 * float(amounts.max()) ** 2 < 2**62  # or int64 would not be exact
    arrived = np.tri(len(events), dtype=bool)
    forgotten = _forgotten(times.tolist())[None, :] <= np.arange(len(events))[:, None]
    until = arrived & ~forgotten & (times[None, :] <= times[:, None])
    inside = [until & (times[None, :] > times[:, None] - width) for width in WINDOWS_MS]
    counts = [mask.sum(axis=1).tolist() for mask in inside]
    totals = [np.where(mask, amounts, 0).sum(axis=1).tolist() for mask in inside]
    squares = [np.where(mask, amounts * amounts, 0).sum(axis=1).tolist() for mask in inside]
    at_terminal = (inside[-1] & (terminals[None, :] == terminals[:, None])).sum(axis=1).tolist()
    newest = np.maximum.accumulate(times)
    newest_before = np.concatenate([times[:1], newest[:-1]])
    earlier = until & ~np.eye(len(events), dtype=bool) & (times[None, :] > newest_before[:, None] - KEPT_MS)
    before = np.where(earlier, times[None, :], -1).max(axis=1).tolist()
    found: dict[str, list[float]] = {}
    for i, event in enumerate(events):
        if event.time_ms < newest[i] - LATENESS_MS:
            continue
        sums = [(counts[w][i], totals[w][i], squares[w][i]) for w in range(len(WINDOWS_MS))]
        since_last = (event.time_ms - before[i]) / 1000 if before[i] >= 0 else nan
        found[event.transaction_id] = [
            *_of_the_transaction(event),
            *(value for n, s, q in sums for value in (n, s, s / n, sqrt(n * q - s * s) / n)),
            *_against_others(event.amount, *sums[2]),
            *_against_others(event.amount, *sums[3]),
            at_terminal[i],
            since_last,
            nan,
            *(nan for _ in FEATURES[OF_PROFILE:]),
        ]
    return found


def _forgotten(times: list[int]) -> NDArray[np.int64]:
    """The index of the later event that evicts each event; the number of events where none does."""
    kept: list[tuple[int, int]] = []
    pushed_out = np.full(len(times), len(times))
    for i, time_ms in enumerate(times):
        heappush(kept, (time_ms, i))
        if len(kept) > MOST_EVENTS:
            pushed_out[heappop(kept)[1]] = i
    return pushed_out


def _of_the_transaction(event: Event) -> tuple[float, float, float]:
    day, time_of_day = divmod(event.time_ms, DAY_MS)
    weekday = (day + 3) % 7  # the first of January 1970 was a Thursday
    return event.amount, time_of_day / HOUR_MS, float(weekday in {5, 6})


def _against_others(amount: int, count: int, total: int, squares: int) -> tuple[float, float]:
    n, s, q = count - 1, total - amount, squares - amount * amount
    spread = n * q - s * s
    return (n * amount / s if s else nan), ((n * amount - s) / sqrt(spread) if spread else nan)


def same_numbers(expected: list[float], found: list[float | None]) -> bool:
    """Equal to the last bit; a feature that is missing is null on the wire."""
    return len(expected) == len(found) and all(
        b is None if a != a else a == b  # noqa: PLR0124  # NaN is the one number that differs from itself
        for a, b in zip(expected, found, strict=True)
    )
