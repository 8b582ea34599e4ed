"""The order of the contestants in the turns of a run, and what is compared over the turns."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import TypeVar

Entry = TypeVar("Entry")


def in_turn(entries: Iterable[Entry], number: int) -> list[Entry]:
    """Return the entries in the order of turn ``number`` (from 0): backwards in every second turn, so that no contestant
    always runs on a broker that the one before it has warmed up or filled.
    """
    return list(entries)[:: -1 if number % 2 else 1]


def median_ratio(figures: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios within a turn, which a machine that slows down during the run changes little.

    Raises ValueError when the numbers of turns differ.
    """
    return median(one / other for one, other in zip(figures, others, strict=True))
