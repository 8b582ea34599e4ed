"""Not a mutant of the guarantee: a worker whose model raises in the twenty-fifth chunk after each start."""

from itertools import count

from app.adapters.models.bundles import Bundle
from app.scoring.model import Rows, Scores
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

FAILING = 25
_chunks = count(1)
_score = Bundle.score


def score(bundle: Bundle, rows: Rows) -> Scores:
    """Score as usual, except one chunk."""
    if next(_chunks) == FAILING:
        raise ArithmeticError("injected failure")
    return _score(bundle, rows)


sabotage(Bundle, "score", score)
