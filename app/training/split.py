"""Splits a history by time: days to fit, days whose labels are not known yet, days to test.

::

    first event                                                     last event
    |-- warm-up, 30 d --|------- fitted -------|-- delay, 7 d --|-- test, 14 d --|
"""

from typing import NamedTuple

import numpy as np

from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.training.dataset import Dataset, Keep
from app.training.labelling import Labelling
from app.training.options import TrainingOptions
from app.training.scored_dataset import Flags, Integers

_FEWEST_FITTED_DAYS = 7


class Plan(NamedTuple):
    """Bounds of the fitted and the tested times, in ms since the epoch, and the number of days left out."""

    fitted_from: int
    fitted_to: int
    tested_after: int
    warm_up_days: int
    delay_days: int

    def fits(self, times: Integers) -> Flags:
        return (times >= self.fitted_from) & (times <= self.fitted_to)

    def tests(self, times: Integers) -> Flags:
        return times > self.tested_after


class Split(NamedTuple):
    """The fitted and the tested part of a history, and their bounds."""

    fitted: Dataset
    tested: Dataset
    plan: Plan


def plan(first_ms: int, last_ms: int, options: TrainingOptions) -> Plan:
    """Return the bounds. Delay and warm-up are only left out if a week to fit remains."""
    spare_days = (last_ms - first_ms) / DAY_MS - options.test_days - _FEWEST_FITTED_DAYS
    delay_days = options.delay_days if spare_days >= options.delay_days else 0
    warm_up_days = options.warm_up_days if spare_days - delay_days >= options.warm_up_days else 0
    tested_after = last_ms - options.test_days * DAY_MS
    fitted_from, fitted_to = first_ms + warm_up_days * DAY_MS, tested_after - delay_days * DAY_MS
    return Plan(fitted_from, fitted_to, tested_after, warm_up_days, delay_days)


def sampled(planned: Plan, options: TrainingOptions, labelling: Labelling | None = None) -> Keep:
    """Select the rows to fit: every fraud that is known when the test begins, and the legitimate share of the others,
    drawn by the seed.
    """
    random = np.random.default_rng(options.seed)

    def keep(part: Dataset) -> Flags:
        # A number is drawn for every row, so that the choice of one row does not depend on others.
        drawn = random.random(len(part)) < options.legitimate_share
        known = part.as_known(labelling, planned.tested_after).frauds
        return planned.fits(part.event_times) & (known | drawn)

    return keep


def require_frauds(part: Dataset, what: str) -> None:
    """Raise InvalidFile unless there are both frauds and legitimate transactions."""
    frauds = int(part.frauds.sum())
    if frauds == 0 or frauds == len(part):
        raise InvalidFile(
            f"{what} hold {len(part)} transactions, {frauds} of them frauds: both kinds are needed"
        )
