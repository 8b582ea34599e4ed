"""Card precision: the share of defrauded customers among those with the highest scores of a day (docs/models/evaluation.md).

Training, evaluation and the comparison of models all compute it here, with all customers or with a bootstrap sample.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.scoring.model import Scores

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Weights = NDArray[np.float64]
"""By customer: how often the bootstrap sample contains them."""


class CardDays(NamedTuple):
    """Each customer on each day, ordered by day and within a day by descending score.

    The score of a customer is that of the transaction with the highest score; of equal scores, the lower customer number
    comes first.
    """

    customers: Integers
    frauds: Flags
    """Whether any transaction of the customer on the day was a fraud."""
    begins: NDArray[np.intp]
    """Index of the first entry of each day."""


def card_days(days: Integers, customers: Integers, scores: Scores, frauds: Flags) -> CardDays:
    """Group transactions, in any order, by day and customer; customers are numbers from 0."""
    order = np.lexsort((customers, days))
    days, customers = days[order], customers[order]
    first = np.flatnonzero(_begins(days) | _begins(customers))
    if not len(first):
        return CardDays(customers, frauds, first)
    highest = np.maximum.reduceat(scores[order], first)
    defrauded = np.logical_or.reduceat(frauds[order], first)
    days, customers = days[first], customers[first]
    ranked = np.lexsort((customers, -highest, days))
    return CardDays(customers[ranked], defrauded[ranked], np.flatnonzero(_begins(days[ranked])))


def card_precision(days: CardDays, k: int, weights: Weights | None = None) -> float | None:
    """Return the share of defrauded customers among the ``k`` with the highest scores of a day, as the mean over the days.

    A defrauded customer who was found on one day does not count on later days. None without a day. A customer with
    weight 2 counts as two customers.
    """
    left = np.ones(int(days.customers.max(initial=-1)) + 1) if weights is None else weights.copy()
    shares = []
    for begin, end in zip(days.begins, [*days.begins[1:], len(days.customers)], strict=True):
        customers, frauds = days.customers[begin:end], days.frauds[begin:end]
        if weights is not None and not weights[customers].any():
            continue  # the sample contains no customer of this day
        waiting = left[customers]
        before = np.cumsum(waiting) - waiting
        found = np.clip(k - before, 0, waiting) * frauds
        shares.append(float(found.sum()) / k)
        left[customers] -= found
    return float(np.mean(shares)) if shares else None


def _begins(values: Integers) -> Flags:
    """Return True for each value that differs from the previous one."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]
