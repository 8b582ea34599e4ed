"""The functions by which a model scores and explains rows, without the libraries they come from."""

from collections.abc import Callable
from typing import NamedTuple

from app.adapters.models.forests import Forest
from app.scoring.model import Contributions, Rows, Scores

ScoreRows = Callable[[Rows], Scores]
Contribute = Callable[[Rows], Contributions | None]


class Judgement(NamedTuple):
    """What an estimator can say."""

    own: ScoreRows
    """By scikit-learn's own code."""
    compiled: ScoreRows | None
    """By machine code, where the model's kind has any."""
    contributions: Contribute
    forest: Forest | None = None
    """Where the estimator is nothing but this forest."""

    @property
    def score(self) -> ScoreRows:
        """For many rows."""
        return self.compiled or self.own
