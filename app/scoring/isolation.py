"""The boundary around a model that does not decide for everybody: its errors and its nonsense end here."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from app.scoring.model import Model, Rows, Scores

Clock = Callable[[], float]
"""Seconds; never runs backwards."""


class Attempt(NamedTuple):
    """What came of one call."""

    scores: Scores | None
    """None when it failed."""
    seconds: float
    error: str = ""
    """The kind of failure. Not its message, which may quote a customer's values."""


def attempt(model: Model, rows: Rows, clock: Clock) -> Attempt:
    """Score a copy of ``rows``, so that whatever the model does to it, nobody else sees."""
    began = clock()
    try:
        scores = np.array(model.score(rows.copy()), dtype=np.float64)
    except Exception as error:  # noqa: BLE001  # the challenger boundary: a model on trial may raise anything, and no transaction may fail of it
        return Attempt(None, clock() - began, type(error).__name__)
    seconds = clock() - began
    if scores.shape != (len(rows),):
        return Attempt(None, seconds, f"{scores.shape} scores for {len(rows)} rows")
    if not np.all((scores >= 0) & (scores <= 1)):
        return Attempt(None, seconds, "a score that is NaN or outside [0, 1]")
    return Attempt(scores, seconds)
