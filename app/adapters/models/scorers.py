"""The functions that score and explain rows, independent of the library that a model comes from."""

from collections.abc import Callable
from typing import NamedTuple

from app.adapters.models.forests import Forest
from app.scoring.model import Contributions, Rows, Scores

ScoreRows = Callable[[Rows], Scores]
Contribute = Callable[[Rows], Contributions | None]


class Scorers(NamedTuple):
    """The scoring functions of one estimator."""

    own: ScoreRows
    """Scores by scikit-learn's own code."""
    compiled: ScoreRows | None
    """Scores by compiled code, None where this kind of model has none."""
    contributions: Contribute
    forest: Forest | None = None
    """The forest, where the estimator consists of it alone."""

    @property
    def score(self) -> ScoreRows:
        """The faster function for many rows."""
        return self.compiled or self.own
