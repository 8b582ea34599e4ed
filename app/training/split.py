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
    """Return the bounds. The warm-up is only left out if a week to fit remains.

    Raises InvalidFile when the history is too short for the test, the label delay and that week: a model that is fitted on
    labels of the future looks better than it is.
    """
    days = (last_ms - first_ms) / DAY_MS
    spare_days = days - options.test_days - options.delay_days - _FEWEST_FITTED_DAYS
    if spare_days < 0:
        raise InvalidFile(_too_short(days, options))
    warm_up_days = options.warm_up_days if spare_days >= options.warm_up_days else 0
    tested_after = last_ms - options.test_days * DAY_MS
    fitted_from, fitted_to = first_ms + warm_up_days * DAY_MS, tested_after - options.delay_days * DAY_MS
    return Plan(fitted_from, fitted_to, tested_after, warm_up_days, options.delay_days)


def _too_short(days: float, options: TrainingOptions) -> str:
    needed = options.test_days + options.delay_days + _FEWEST_FITTED_DAYS
    fitting = int(days) - options.delay_days - _FEWEST_FITTED_DAYS
    remedies = [f"`--test-days {fitting}`"] if fitting > 0 else []
    if options.delay_days:
        remedies.append("`--label-delay-days 0` if every label is known at once")
    return (
        f"{days:.1f} days of history are too few: {options.test_days} to test, {options.delay_days} before them whose labels "
        f"are not known yet when the test begins, and {_FEWEST_FITTED_DAYS} to fit are {needed}. "
        f"Use {', '.join(['a longer history', *remedies[:-1]])}{' or ' if remedies else ''}{''.join(remedies[-1:])}."
    )


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
