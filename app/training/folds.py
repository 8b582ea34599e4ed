"""The prequential protocol: train on some days, wait for their labels, test on the next days; repeat for earlier days.

::

    fold 1      |-- train --|-- delay --|-- test --|
    fold 0                  |-- train --|-- delay --|-- test --|

Folds are one test period apart; the newest is fold 0. Each test day excludes the customers who are known as defrauded by
then, because their cards are blocked (Dal Pozzolo et al., "Credit Card Fraud Detection", 2018; Fraud Detection Handbook,
chapter 5).
"""

from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta

from app.errors import InvalidFile
from app.training.scored_dataset import Flags, Integers

MOST_FOLDS = 4
"""Those of the Fraud Detection Handbook."""
_Days = Annotated[int, Meta(ge=1)]


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """Number of folds, and their lengths in days."""

    folds: _Days = MOST_FOLDS
    train_days: _Days = 7
    delay_days: Annotated[int, Meta(ge=0)] = 7
    """Fraud of day d is known from the start of day d + delay_days + 1."""
    test_days: _Days = 7


class Fold(NamedTuple):
    """Days since the epoch, UTC."""

    train_from: int
    train_until: int
    """The first day after training."""
    test_from: int
    test_until: int
    """The first day after the test."""

    def trains(self, days: Integers) -> Flags:
        return (days >= self.train_from) & (days < self.train_until)

    def waits(self, days: Integers) -> Flags:
        return (days >= self.train_until) & (days < self.test_from)

    def tests(self, days: Integers, customers: Integers, frauds: Flags) -> Flags:
        """Return the rows of the test days, without the customers who are known as defrauded by then."""
        inside = (days >= self.test_from) & (days < self.test_until)
        return inside & ~self._known(days, customers, frauds)

    def _known(self, days: Integers, customers: Integers, frauds: Flags) -> Flags:
        cards, indexes = np.unique(customers, return_inverse=True)
        first = np.full(len(cards), np.iinfo(np.int64).max)
        counted = frauds & (days >= self.train_from)
        np.minimum.at(first, indexes[counted], days[counted])
        return first[indexes] < days - (self.test_from - self.train_until)


def folds(protocol: Protocol, first_day: int, last_day: int) -> list[Fold]:
    """Return the folds, newest first; its test ends with ``last_day``. Raises InvalidFile if there are too few days."""
    found = [_fold(protocol, last_day + 1 - i * protocol.test_days) for i in range(protocol.folds)]
    missing = first_day - found[-1].train_from
    if missing > 0:
        raise InvalidFile(_too_short(protocol, last_day + 1 - first_day, missing))
    return found


def most_folds(protocol: Protocol, first_day: int, last_day: int) -> int:
    """Return how many folds the days hold."""
    spare = last_day + 1 - first_day - protocol.train_days - protocol.delay_days
    return max(0, spare // protocol.test_days)


def _too_short(protocol: Protocol, days: int, missing: int) -> str:
    fitting = most_folds(protocol, 0, days - 1)
    fewer = f"`--folds {fitting}`, or fewer" if fitting else "fewer"
    return (
        f"{protocol.folds} folds need {days + missing} days, the file has {days}: take {fewer} of `--train-days`, "
        "`--delay-days` and `--test-days`"
    )


def _fold(protocol: Protocol, test_until: int) -> Fold:
    test_from = test_until - protocol.test_days
    train_until = test_from - protocol.delay_days
    return Fold(train_until - protocol.train_days, train_until, test_from, test_until)
