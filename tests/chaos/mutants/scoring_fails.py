"""No mutant of the guarantee: a worker whose model raises in one chunk of some hundred."""

import random

from app.adapters.bundles import Bundle
from app.scoring.model import Rows, Scores
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

SHARE = 0.005
_score = Bundle.score


def score(bundle: Bundle, rows: Rows) -> Scores:
    """As ever, most of the time."""
    if random.random() < SHARE:  # no secret
        raise ArithmeticError("this chunk was to fail")
    return _score(bundle, rows)


sabotage(Bundle, "score", score)
