"""History in order of time: what is fitted, what could not yet be known, what is measured.

::

    first event                                                     last event
    |-- warm-up, 30 d --|------- fitted -------|-- delay, 7 d --|-- test, 14 d --|
"""

from typing import NamedTuple

from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.training.dataset import Dataset
from app.training.options import TrainingOptions

_FEWEST_FITTED_DAYS = 7


class Split(NamedTuple):
    """Two parts of a history, and how many days were left out."""

    fitted: Dataset
    tested: Dataset
    warm_up_days: int
    delay_days: int


def split_by_time(history: Dataset, options: TrainingOptions) -> Split:
    """Delay and warm-up are left out only where a week to fit remains. Raises InvalidFile when none does."""
    times = history.event_times
    spare_days = history.days - options.test_days - _FEWEST_FITTED_DAYS
    delay_days = options.delay_days if spare_days >= options.delay_days else 0
    warm_up_days = options.warm_up_days if spare_days - delay_days >= options.warm_up_days else 0
    tested_after = times.max() - options.test_days * DAY_MS
    fitted_from = times.min() + warm_up_days * DAY_MS
    fitted = history.where((times >= fitted_from) & (times <= tested_after - delay_days * DAY_MS))
    tested = history.where(times > tested_after)
    _require_frauds(fitted, f"the {history.days:.1f} days of history, without the last {options.test_days},")
    return Split(fitted, tested, warm_up_days, delay_days)


def _require_frauds(part: Dataset, what: str) -> None:
    frauds = int(part.frauds.sum())
    if frauds == 0 or frauds == len(part):
        raise InvalidFile(
            f"{what} hold {len(part)} transactions, {frauds} of them frauds: both kinds are needed"
        )
