"""Who scores a chunk: the champion decides, a canary decides for its customers, challengers are noted."""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.control import model_id
from app.domain.transaction import Transaction
from app.scoring.canary import Canary
from app.scoring.challenger import Challenger
from app.scoring.model import Model, Rows, Scores

Shadow = dict[str, float]
"""Scores that decided nothing, by ``name/version``."""
_NONE: Shadow = {}


class Scored(NamedTuple):
    """Columns of equal length: what decides about each transaction."""

    scores: list[float]
    models: list[Model]
    """Whose score it is."""
    shadow: list[Shadow]
    """Nobody changes these: transactions may share one."""
    champion: Scores
    """Of all of them, also of those that a canary decides."""


class Lineup:
    """The models of a worker. It is replaced whole, between two chunks."""

    def __init__(
        self, champion: Model, challengers: Sequence[Challenger] = (), canary: Canary | None = None
    ) -> None:
        self.champion = champion
        self.challengers = challengers
        self.canary = canary

    def score(self, rows: Rows, transactions: Sequence[Transaction]) -> Scored:
        """What champion and canary say; of a canary's transactions the shadow is the champion's score."""
        chances = self.champion.score(rows)
        scores: list[float] = chances.tolist()
        scored = Scored(scores, [self.champion] * len(scores), [_NONE] * len(scores), chances)
        if self.canary is not None:
            _let_decide(self.canary, scored, rows, transactions)
        return scored

    def shadow(self, rows: Rows, scored: Scored) -> list[Shadow]:
        """``scored.shadow`` and the challengers' scores. What they do has no other effect."""
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
