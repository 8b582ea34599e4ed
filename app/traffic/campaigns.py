"""Fraud that lasts for days: a terminal or a card in the wrong hands, and how many of them at a time."""

import msgspec
import numpy as np

from app.traffic.population import Integers, Reals

SHORTEST_DAYS, LONGEST_DAYS = 3, 14
_TRIES_A_DAY = 500


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    target: int
    """The terminal or the customer."""
    last_day: int
    daily_rows: float
    """How many fraudulent transactions a day it is expected to give."""


class Campaigns:
    """Campaigns of one pattern. New ones start so that their rows keep to a share of all rows.

    What running campaigns will still give counts as spent; what they really gave is settled day by day.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._budget_rows: float | None = None
        self._running: list[Campaign] = []

    def targets(
        self, rng: np.random.Generator, day: int, candidates: Integers, daily_rows: Reals
    ) -> Integers:
        """The targets of ``day``. A candidate per row of the day, so that a busy target is likelier;
        ``daily_rows`` is what each target would give.
        """
        self._running = [campaign for campaign in self._running if campaign.last_day >= day]
        self._earn(candidates.size)
        if candidates.size:
            self._start(rng, day, candidates[rng.integers(candidates.size, size=_TRIES_A_DAY)], daily_rows)
        return np.array([campaign.target for campaign in self._running], dtype=np.int64)

    def settle(self, rows: int) -> None:
        """Take what the campaigns really gave today."""
        self._budget_rows = (self._budget_rows or 0.0) - rows

    def _earn(self, rows: int) -> None:
        if self._budget_rows is None:
            # The first day finds campaigns under way, as if there had been days before it.
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
