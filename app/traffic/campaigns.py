"""Fraud campaigns that last for days, at a terminal or with a card, and how many of them run at a time."""

import msgspec
import numpy as np

from app.traffic.population import Integers, Reals

SHORTEST_DAYS, LONGEST_DAYS = 3, 14
_TRIES_A_DAY = 500


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One compromised terminal or stolen card."""

    target: int
    """Number of the terminal or the customer."""
    last_day: int
    daily_rows: float
    """Expected number of fraudulent transactions per day."""


class Campaigns:
    """The campaigns of one pattern. New ones start such that fraudulent rows are a fixed share of all rows.

    Expected rows of running campaigns count as spent; the actual rows are settled day by day.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._budget_rows: float | None = None
        self._running: list[Campaign] = []

    def targets(
        self, rng: np.random.Generator, day: int, candidates: Integers, daily_rows: Reals
    ) -> Integers:
        """Return the targets of ``day``.

        ``candidates`` holds one entry per row of the day, so that busy targets are chosen more often; ``daily_rows`` holds
        the expected rows per day of each target.
        """
        self._running = [campaign for campaign in self._running if campaign.last_day >= day]
        self._earn(candidates.size)
        if candidates.size:
            self._start(rng, day, candidates[rng.integers(candidates.size, size=_TRIES_A_DAY)], daily_rows)
        return np.array([campaign.target for campaign in self._running], dtype=np.int64)

    def settle(self, rows: int) -> None:
        """Subtract the actual rows of today from the budget."""
        self._budget_rows = (self._budget_rows or 0.0) - rows

    def _earn(self, rows: int) -> None:
        if self._budget_rows is None:
            # Campaigns already run on the first day, as if there had been days before it.
            self._budget_rows = self._share * rows * (SHORTEST_DAYS + LONGEST_DAYS) / 4
        self._budget_rows += self._share * rows

    def _start(self, rng: np.random.Generator, day: int, candidates: Integers, daily_rows: Reals) -> None:
        running = {campaign.target for campaign in self._running}
        unspent = (self._budget_rows or 0.0) - sum(
            campaign.daily_rows * (campaign.last_day - day + 1) for campaign in self._running
        )
        days = rng.integers(SHORTEST_DAYS, LONGEST_DAYS + 1, size=candidates.size)
        for target, length in zip(candidates.tolist(), days.tolist(), strict=True):
            expected = float(daily_rows[target]) * length
            if target in running or unspent < expected / 2:
                continue
            unspent -= expected
            running.add(target)
            self._running.append(
                Campaign(target=target, last_day=day + length - 1, daily_rows=float(daily_rows[target]))
            )
