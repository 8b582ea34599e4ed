"""The line-up of a worker: the champion decides, a canary decides for its customers, challengers score in shadow."""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.control import model_id
from app.domain.transaction import Transaction
from app.scoring.canary import Canary
from app.scoring.challenger import Challenger
from app.scoring.model import Model, Rows, Scores

Shadow = dict[str, float]
"""Scores without effect on the decision, by model id (``name/version``)."""
_NONE: Shadow = {}


class Scored(NamedTuple):
    """The deciding scores of a chunk, as columns of equal length."""

    scores: list[float]
    models: list[Model]
    """The model of each score."""
    shadow: list[Shadow]
    """Scores of other models. Read-only, since transactions may share one dictionary."""
    champion: Scores
    """Scores of the champion for all transactions, also for those that a canary decides."""


class Lineup:
    """The models of a worker. A change replaces the whole line-up between two chunks, so all rows of a chunk use the same."""

    def __init__(
        self, champion: Model, challengers: Sequence[Challenger] = (), canary: Canary | None = None
    ) -> None:
        self.champion = champion
        self.challengers = challengers
        self.canary = canary

    def score(self, rows: Rows, transactions: Sequence[Transaction]) -> Scored:
        """Score with champion and canary. For transactions of the canary, the shadow is the champion's score."""
        chances = self.champion.score(rows)
        scores: list[float] = chances.tolist()
        scored = Scored(scores, [self.champion] * len(scores), [_NONE] * len(scores), chances)
        if self.canary is not None:
            _let_decide(self.canary, scored, rows, transactions)
        return scored

    def shadow(self, rows: Rows, scored: Scored) -> list[Shadow]:
        """Return ``scored.shadow`` with the scores of the challengers added."""
        shadow = scored.shadow
        for challenger in self.challengers:
            scores = challenger.score(rows) if len(rows) else None
            if scores is not None:
                name = challenger.name
                shadow = [
                    {**others, name: score} for others, score in zip(shadow, scores.tolist(), strict=True)
                ]
        return shadow


def _let_decide(canary: Canary, scored: Scored, rows: Rows, transactions: Sequence[Transaction]) -> None:
    chosen = canary.chosen(transaction.customer_id for transaction in transactions)
    scores = canary.score(rows[chosen]) if len(chosen) else None
    if scores is None:
        return
    champion = model_id(scored.models[0].reference)
    for at, score in zip(chosen.tolist(), scores.tolist(), strict=True):
        scored.shadow[at] = {champion: scored.scores[at]}
        scored.scores[at] = score
        scored.models[at] = canary.model
