"""How each function of a catalog is computed: from which aggregate, by which formula."""

from collections.abc import Mapping
from typing import NamedTuple

from app.catalog.definitions import Function
from app.profiles import aggregates as aggregate
from app.profiles import formulas as formula


class Recipe(NamedTuple):
    """One function over a window."""

    aggregate: int
    formula: int
    takes_value: bool = False
    """Whether it takes the values of a field: an event without one is in no window of it."""
    of_others: bool = False
    """Whether the event itself is never part of the window."""
    compares: bool = False
    """Whether the event's own value is compared with the others: without one the feature is missing."""


RECIPES: Mapping[Function, Recipe] = {
    Function.COUNT: Recipe(aggregate.COUNT, formula.COUNT),
    Function.SHARE: Recipe(aggregate.COUNT, formula.SHARE),
    Function.SUM: Recipe(aggregate.SUM, formula.SUM, takes_value=True),
    Function.MEAN: Recipe(aggregate.SUM, formula.MEAN, takes_value=True),
    Function.STD: Recipe(aggregate.SQUARES, formula.STD, takes_value=True),
    Function.MIN: Recipe(aggregate.SMALLEST, formula.MIN, takes_value=True),
    Function.MAX: Recipe(aggregate.LARGEST, formula.MAX, takes_value=True),
    Function.DISTINCT: Recipe(aggregate.DISTINCT, formula.DISTINCT, takes_value=True),
    Function.RATIO: Recipe(aggregate.SUM, formula.RATIO, takes_value=True, of_others=True, compares=True),
    Function.ZSCORE: Recipe(
        aggregate.SQUARES, formula.ZSCORE, takes_value=True, of_others=True, compares=True
    ),
    Function.MAX_RATIO: Recipe(
        aggregate.LARGEST, formula.MAX_RATIO, takes_value=True, of_others=True, compares=True
    ),
    Function.SECONDS_SINCE_LAST: Recipe(aggregate.NEWEST, formula.SINCE, of_others=True),
    Function.SECONDS_SINCE_FIRST: Recipe(aggregate.OLDEST, formula.SINCE, of_others=True),
    Function.IS_NEW: Recipe(aggregate.COUNT, formula.IS_NEW, of_others=True),
    Function.TIME_SIMILARITY: Recipe(aggregate.CLOCK, formula.TIME_SIMILARITY, of_others=True),
}
"""IS_NEW counts the other events with the same value: its field is one more of ``same``."""

OF_CURRENT = frozenset({Function.VALUE, Function.TIME_OF_DAY, Function.WEEKEND})
"""Functions of the current event alone (current.py)."""
