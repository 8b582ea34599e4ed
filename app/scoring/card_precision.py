"""Card precision: of so many customers that people look at in a day, how many were defrauded.

Every figure of that name is computed here, of one model or of two, with all customers or with some drawn anew.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.scoring.model import Scores

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Weights = NDArray[np.float64]
"""By customer: how often they were drawn."""


class CardDays(NamedTuple):
    """Each customer on each day: whether any transaction was a fraud. Ordered by day, and within a day from the highest
    score down; a customer scores as their highest transaction does, and of equal ones the lower number comes first.
    """

    customers: Integers
    frauds: Flags
    begins: NDArray[np.intp]
    """Where each day begins."""


def card_days(days: Integers, customers: Integers, scores: Scores, frauds: Flags) -> CardDays:
    """Of transactions in any order; customers are numbers from 0 on."""
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
    """Of the ``k`` customers with the highest scores of a day, the share that was defrauded; the mean over the days.

    A defrauded customer who was found is not looked at again. None without a day. A customer of weight 2 counts as two.
    """
    left = np.ones(int(days.customers.max(initial=-1)) + 1) if weights is None else weights.copy()
    shares = []
    for begin, end in zip(days.begins, [*days.begins[1:], len(days.customers)], strict=True):
        customers, frauds = days.customers[begin:end], days.frauds[begin:end]
        if weights is not None and not weights[customers].any():
            continue  # nobody of this day was drawn
        waiting = left[customers]
        before = np.cumsum(waiting) - waiting
        found = np.clip(k - before, 0, waiting) * frauds
        shares.append(float(found.sum()) / k)
        left[customers] -= found
    return float(np.mean(shares)) if shares else None


def _begins(values: Integers) -> Flags:
    """Where another value begins."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]
