"""Isolates exceptions and invalid scores of models in shadow and of canaries."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from app.scoring.model import Model, Rows, Scores

Clock = Callable[[], float]
"""Returns seconds; monotonic."""


class Attempt(NamedTuple):
    """Result of one call of a model."""

    scores: Scores | None
    """None if the call failed."""
    seconds: float
    error: str = ""
    """Kind of the failure. Without the message of an exception, which may contain values of a customer."""


def attempt(model: Model, rows: Rows, clock: Clock) -> Attempt:
    """Score a copy of ``rows``, so that a model that changes it has no effect on others. Never raises."""
    began = clock()
    try:
        scores = np.array(model.score(rows.copy()), dtype=np.float64)
    except Exception as error:  # noqa: BLE001  # a model in shadow may raise anything, and no transaction may fail because of it
        return Attempt(None, clock() - began, type(error).__name__)
    seconds = clock() - began
    if scores.shape != (len(rows),):
        return Attempt(None, seconds, f"{scores.shape} scores for {len(rows)} rows")
    if not np.all((scores >= 0) & (scores <= 1)):
        return Attempt(None, seconds, "a score that is NaN or outside [0, 1]")
    return Attempt(scores, seconds)
