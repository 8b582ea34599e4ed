"""Legitimate transactions of a day, drawn from the habits of the customers."""

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np

from app.traffic.cities import HOMES
from app.traffic.population import ECOMMERCE, FAVOURITES, Customers, Integers, Reals, Terminals

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
LEGITIMATE = -1
NO_DEVICE = -1

WEEKDAY_FACTORS = (0.95, 0.95, 0.95, 1.0, 1.15, 1.2, 0.8)
"""Factors on the number of transactions, Monday to Sunday."""
_PEAK_STD_HOURS = 3.5
_TRIP_SHARE = 0.004
"""Share of customers who spend the day in another city. They buy there from 10:00 to 18:00, which leaves time to travel."""
_TRIP_FROM_MS, _TRIP_SPAN_MS = 10 * HOUR_MS, 8 * HOUR_MS


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions of one day, one array per attribute."""

    day_ms: Integers
    """Milliseconds since midnight."""
    customer: Integers
    terminal: Integers
    amount_minor: Integers
    pattern: Integers
    """Index into PATTERNS, or LEGITIMATE."""
    device: Integers
    """Number of the device of an internet purchase, or NO_DEVICE."""

    def __len__(self) -> int:
        return self.customer.size

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Concatenate and sort by time; rows of the same millisecond keep the order given."""
        names = cls.__struct_fields__
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        order = np.argsort(columns["day_ms"], kind="stable")
        return cls(**{name: column[order] for name, column in columns.items()})


def draw_day(rng: np.random.Generator, weekday: int, customers: Customers, terminals: Terminals) -> Rows:
    """Draw the transactions of all customers on one day, in no particular order."""
    counts = rng.poisson(customers.per_day * WEEKDAY_FACTORS[weekday])
    customer = np.repeat(np.arange(counts.size), counts)
    day_ms, terminal = _places_and_times(rng, customer, customers, terminals)
    online = terminals.channel[terminal] == ECOMMERCE
    return Rows(
        day_ms=day_ms,
        customer=customer,
        terminal=terminal,
        amount_minor=_amounts(rng, customers.mean_minor[customer], customers.std_minor[customer]),
        pattern=np.full(customer.size, LEGITIMATE),
        device=np.where(online, customer, NO_DEVICE),
    )


def _places_and_times(
    rng: np.random.Generator, customer: Integers, customers: Customers, terminals: Terminals
) -> tuple[Integers, Integers]:
    hours = customers.peak_hour[customer] + _PEAK_STD_HOURS * rng.standard_normal(customer.size)
    day_ms = np.floor(np.mod(hours, 24.0) * HOUR_MS).astype(np.int64) % DAY_MS
    share = rng.random(customer.size)
    # The square makes the first favourites the most visited ones.
    terminal = customers.favourites[customer, (FAVOURITES * share * share).astype(np.int64)]

    inhabited = np.unique(terminals.city[: terminals.home_count])
    destination = np.where(
        rng.random(customers.city.size) < _TRIP_SHARE,
        inhabited[rng.integers(inhabited.size, size=customers.city.size)],
        len(HOMES),
    )
    away = np.flatnonzero(destination[customer] < len(HOMES))
    chance = rng.random((2, away.size))
    terminal[away] = terminals.within(destination[customer[away]], chance[0])
    day_ms[away] = _TRIP_FROM_MS + (chance[1] * _TRIP_SPAN_MS).astype(np.int64)
    return day_ms, terminal


def _amounts(rng: np.random.Generator, mean: Reals, std: Reals) -> Integers:
    """Draw amounts from a normal distribution; a negative one is replaced by a uniform one up to twice the mean."""
    amounts = mean + std * rng.standard_normal(mean.size)
    amounts = np.where(amounts > 0, amounts, 2 * mean * rng.random(mean.size))
    return np.maximum(1, np.rint(amounts)).astype(np.int64)
