"""Confidence intervals of a difference between models, by bootstrap over customers.

Both models are measured on the same draw. Transactions of one customer are not independent, so customers are drawn.
"""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.model_comparison.figures import FIGURES, Ranking
from app.model_comparison.paired import Paired

CONFIDENCE = 0.95


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of all transactions, and its 95 % interval over the draws; None if it is not defined."""

    value: float | None
    low: float | None
    high: float | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both models; ``difference`` is challenger less champion."""

    champion: Interval
    challenger: Interval
    difference: Interval


class Draws(msgspec.Struct, frozen=True, kw_only=True):
    """Number of draws, and their seed: the same seed gives the same intervals."""

    number: int = 200
    seed: int = 0
    budget: int = 100
    """Customers that people can review in a day."""


def compare_figures(
    paired: Paired, draws: Draws, on_draw: Callable[[int], None] = lambda _: None
) -> dict[str, Compared]:
    """Compare each of FIGURES. ``on_draw`` is called with the number of finished draws."""
    models = [Ranking(paired, scores, draws.budget) for scores in (paired.champion, paired.challenger)]
    customers = int(paired.customers.max()) + 1
    random = np.random.default_rng(draws.seed)
    found = [_both(models, np.ones(customers))]
    for number in range(draws.number):
        drawn = random.multinomial(customers, np.full(customers, 1 / customers)).astype(np.float64)
        found.append(_both(models, drawn))
        on_draw(number + 1)
    table = np.array(found)  # draws, models, figures
    return {name: _compared(table[:, :, at]) for at, name in enumerate(FIGURES)}


def _both(models: list[Ranking], weights: NDArray[np.float64]) -> list[list[float]]:
    return [list(model.figures(weights).values()) for model in models]


def _compared(values: NDArray[np.float64]) -> Compared:
    champion, challenger = values.T
    return Compared(
        champion=_interval(champion),
        challenger=_interval(challenger),
        difference=_interval(challenger - champion),
    )


def _interval(values: NDArray[np.float64]) -> Interval:
    """Return the interval; the first value is that of all transactions, the others are those of the draws."""
    value, drawn = values[0], values[1:][np.isfinite(values[1:])]
    if not np.isfinite(value):
        return Interval(value=None, low=None, high=None)
    if not len(drawn):
        return Interval(value=float(value), low=None, high=None)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(value=float(value), low=float(low), high=float(high))
