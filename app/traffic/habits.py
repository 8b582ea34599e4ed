"""What customers do on a day when nobody steals from them."""

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
"""Monday to Sunday."""
_PEAK_STD_HOURS = 3.5
_TRIP_SHARE = 0.004
"""Customers who spend a day in another city. They buy there between 10:00 and 18:00, so that they can get there."""
_TRIP_FROM_MS, _TRIP_SPAN_MS = 10 * HOUR_MS, 8 * HOUR_MS


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions of one day, one array per trait."""

    day_ms: Integers
    """Milliseconds since midnight."""
    customer: Integers
    terminal: Integers
    amount_minor: Integers
    pattern: Integers
    """Index into PATTERNS, LEGITIMATE for most."""
    device: Integers
    """Number of the device of an internet purchase, NO_DEVICE otherwise."""

    def __len__(self) -> int:
        return self.customer.size

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All rows in order of time; rows of one instant stay in the order given."""
        names = cls.__struct_fields__
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        order = np.argsort(columns["day_ms"], kind="stable")
        return cls(**{name: column[order] for name, column in columns.items()})


def draw_day(rng: np.random.Generator, weekday: int, customers: Customers, terminals: Terminals) -> Rows:
    """Every customer's transactions of one day, in no order."""
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
    # Squared: the first favourites are visited most.
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
    """Normal around the habit; what would be negative is drawn anew, evenly up to twice the mean."""
    amounts = mean + std * rng.standard_normal(mean.size)
    amounts = np.where(amounts > 0, amounts, 2 * mean * rng.random(mean.size))
    return np.maximum(1, np.rint(amounts)).astype(np.int64)
