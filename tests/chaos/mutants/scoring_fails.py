"""No mutant of the guarantee: a worker whose model raises, in its twenty-fifth chunk after each start."""

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
    """As ever, but for one chunk."""
    if next(_chunks) == FAILING:
        raise ArithmeticError("this chunk was to fail")
    return _score(bundle, rows)


sabotage(Bundle, "score", score)
