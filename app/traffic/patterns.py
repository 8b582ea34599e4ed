"""Fraud patterns: how each one changes or adds transactions of a day, and its share of them."""

import msgspec
import numpy as np

from app.traffic.campaigns import Campaigns
from app.traffic.habits import DAY_MS, LEGITIMATE, NO_DEVICE, Rows
from app.traffic.population import ECOMMERCE, Customers, Integers, Terminals

PATTERNS = ("large_amount", "compromised_terminal", "stolen_card", "card_testing", "impossible_travel")
LARGE_AMOUNT, COMPROMISED_TERMINAL, STOLEN_CARD, CARD_TESTING, IMPOSSIBLE_TRAVEL = range(5)
SHARES = (0.0015, 0.003, 0.003, 0.0015, 0.001)
"""Shares of the legitimate transactions, by pattern: together one percent."""

MINUTE_MS = 60_000
STOLEN_FACTOR = 5
_STOLEN_SHARE = 1 / 3
_LARGE_FLOOR_MINOR = 50_000
_BIG_FLOOR_MINOR = 20_000
FEWEST_TESTS, MOST_TESTS = 8, 15
TINY_MINOR = 200
_GAP_MS = (5_000, 40_000)
_BIG_AFTER_MS = (1 * MINUTE_MS, 5 * MINUTE_MS)
BURST_MS = MOST_TESTS * _GAP_MS[1] + _BIG_AFTER_MS[1]
TRAVEL_MS = (2 * MINUTE_MS, 20 * MINUTE_MS)


class Fraudsters:
    """Adds fraud to each day; campaigns and fractional counts carry over to the next day."""

    def __init__(self, customers: Customers, terminals: Terminals) -> None:
        self._customers = customers
        self._terminals = terminals
        self._compromised = Campaigns(SHARES[COMPROMISED_TERMINAL])
        self._stolen = Campaigns(SHARES[STOLEN_CARD])
        # Starting at one half rounds the expected number of a pattern instead of truncating it.
        self._due = dict.fromkeys((LARGE_AMOUNT, CARD_TESTING, IMPOSSIBLE_TRAVEL), 0.5)

    def attack(self, rng: np.random.Generator, day: int, legitimate: Rows) -> Rows:
        """Return the rows of the day with fraud added, in order of time."""
        rows = self._use_terminals(rng, day, legitimate)
        rows = self._use_cards(rng, day, rows)
        rows = self._spend_large(rng, rows)
        travel = self._travel(rng, rows)
        testing = self._test_cards(rng, rows, np.unique(travel.customer))
        return Rows.joined([rows, testing, travel])

    def _use_terminals(self, rng: np.random.Generator, day: int, rows: Rows) -> Rows:
        """Make every transaction at a compromised terminal a fraud."""
        daily = np.bincount(rows.terminal, minlength=self._terminals.city.size).astype(np.float64)
        hit = np.isin(rows.terminal, self._compromised.targets(rng, day, rows.terminal, daily))
        self._compromised.settle(int(hit.sum()))
        return _labelled(rows, hit, COMPROMISED_TERMINAL, rows.amount_minor)

    def _use_cards(self, rng: np.random.Generator, day: int, rows: Rows) -> Rows:
        """Make a third of the transactions of a stolen card frauds of five times the amount."""
        daily = self._customers.per_day * _STOLEN_SHARE
        stolen = np.isin(rows.customer, self._stolen.targets(rng, day, rows.customer, daily))
        hit = stolen & (rng.random(len(rows)) < _STOLEN_SHARE) & (rows.pattern == LEGITIMATE)
        self._stolen.settle(int(hit.sum()))
        return _labelled(rows, hit, STOLEN_CARD, rows.amount_minor * STOLEN_FACTOR)

    def _spend_large(self, rng: np.random.Generator, rows: Rows) -> Rows:
        """Turn single transactions into frauds of ten to thirty times the customer's mean, at least 500.00."""
        count = self._take(LARGE_AMOUNT, len(rows), rows_each=1.0)
        free = np.flatnonzero(rows.pattern == LEGITIMATE)
        hit = np.zeros(len(rows), dtype=np.bool_)
        hit[rng.choice(free, size=min(count, free.size), replace=False)] = True
        factor = 10.0 + 20.0 * rng.random(len(rows))
        large = np.rint(self._customers.mean_minor[rows.customer] * factor).astype(np.int64)
        return _labelled(rows, hit, LARGE_AMOUNT, np.maximum(large, _LARGE_FLOOR_MINOR))

    def _travel(self, rng: np.random.Generator, rows: Rows) -> Rows:
        """Add uses of a card in a far city, minutes after a use at home; at most one per customer and day."""
        count = self._take(IMPOSSIBLE_TRAVEL, len(rows), rows_each=1.0)
        early = np.flatnonzero(rows.day_ms < DAY_MS - TRAVEL_MS[1])
        chosen = rng.choice(early, size=min(count, early.size), replace=False)
        customer, first = np.unique(rows.customer[chosen], return_index=True)
        shops = self._terminals.far_shops()
        factor = 1.0 + 4.0 * rng.random(customer.size)
        return Rows(
            day_ms=rows.day_ms[chosen[first]] + rng.integers(*TRAVEL_MS, size=customer.size),
            customer=customer,
            terminal=shops[rng.integers(shops.size, size=customer.size)],
            amount_minor=np.rint(self._customers.mean_minor[customer] * factor).astype(np.int64),
            pattern=np.full(customer.size, IMPOSSIBLE_TRAVEL),
            device=np.full(customer.size, NO_DEVICE),
        )

    def _test_cards(self, rng: np.random.Generator, rows: Rows, taken: Integers) -> Rows:
        """Add bursts of tiny amounts on one device, seconds apart, followed by a large one; at most one per customer and day."""
        mean_rows = (FEWEST_TESTS + MOST_TESTS) / 2 + 1
        total = self._customers.city.size
        count = min(self._take(CARD_TESTING, len(rows), rows_each=mean_rows), total)
        victims = np.setdiff1d(rng.choice(total, size=count, replace=False), taken)
        sizes = rng.integers(FEWEST_TESTS, MOST_TESTS + 1, size=victims.size) + 1
        burst = np.repeat(np.arange(victims.size), sizes)
        last = np.cumsum(sizes) - 1
        amounts = rng.integers(1, TINY_MINOR + 1, size=burst.size)
        factor = 10.0 + 20.0 * rng.random(victims.size)
        big = np.rint(self._customers.mean_minor[victims] * factor).astype(np.int64)
        amounts[last] = np.maximum(big, _BIG_FLOOR_MINOR)
        shops = self._terminals.of_channel(ECOMMERCE)
        return Rows(
            day_ms=_burst_times(rng, burst, last),
            customer=victims[burst],
            terminal=shops[rng.integers(shops.size, size=victims.size)][burst],
            amount_minor=amounts,
            pattern=np.full(burst.size, CARD_TESTING),
            # Device numbers above those of the customers: a device that the customer never used.
            device=total + (victims + int(rng.integers(2**31)))[burst],
        )

    def _take(self, pattern: int, rows: int, *, rows_each: float) -> int:
        """Return how many frauds of a pattern are due after ``rows`` more rows."""
        self._due[pattern] += SHARES[pattern] * rows / rows_each
        count = int(self._due[pattern])
        self._due[pattern] -= count
        return count


def _burst_times(rng: np.random.Generator, burst: Integers, last: Integers) -> Integers:
    gaps = rng.integers(*_GAP_MS, size=burst.size)
    gaps[last] = rng.integers(*_BIG_AFTER_MS, size=last.size)
    elapsed = np.cumsum(gaps)
    before = np.concatenate([[0], elapsed[last[:-1]]]) if last.size else elapsed
    starts = rng.integers(DAY_MS - BURST_MS, size=last.size)
    return (starts - before)[burst] + elapsed


def _labelled(rows: Rows, hit: np.ndarray, pattern: int, amounts: Integers) -> Rows:
    return msgspec.structs.replace(
        rows,
        pattern=np.where(hit, pattern, rows.pattern),
        amount_minor=np.where(hit, amounts, rows.amount_minor),
    )
