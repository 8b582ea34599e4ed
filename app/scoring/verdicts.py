"""The outcomes of a chunk of transactions and what settled them: by the thresholds of the models, or by a policy."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, FiredRule, Holdout, OutcomeBy, PolicyReference, RuleMode
from app.scoring import policy
from app.scoring.lineup import Scored

_NONE_FIRED: list[FiredRule] = []
_OF_EFFECT = {
    Effect.BLOCK: Outcome.DECLINE,
    Effect.APPROVE: Outcome.APPROVE,
    Effect.DECLINE: Outcome.DECLINE,
    Effect.REVIEW: Outcome.REVIEW,
}


class Verdicts(NamedTuple):
    """The answers to the transactions of a chunk, as columns of equal length. Read-only: transactions may share lists."""

    outcomes: Sequence[Outcome]
    thresholds: Sequence[Thresholds]
    """The scores were compared with them, also where a rule, a deadline or a holdout settled the outcome."""
    settled_by: Sequence[OutcomeBy]
    fired: Sequence[list[FiredRule]]
    """Every rule that fired, in order of precedence, also in shadow."""
    holdouts: Sequence[Holdout | None]
    policy: PolicyReference | None = None
    lists_offset: int | None = None


def by_thresholds(scored: Scored) -> Verdicts:
    """The verdicts without a policy: each score against the thresholds of its model."""
    count = len(scored.scores)
    thresholds = [model.thresholds for model in scored.models]
    return Verdicts(
        list(map(policy.outcome, scored.scores, thresholds)),
        thresholds,
        [OutcomeBy.BAND] * count,
        [_NONE_FIRED] * count,
        [None] * count,
    )


class Settled(Protocol):
    """What a published decision says of how its outcome came about."""

    @property
    def outcome(self) -> Outcome: ...

    @property
    def outcome_by(self) -> OutcomeBy: ...

    @property
    def thresholds(self) -> Thresholds: ...

    @property
    def fired(self) -> Sequence[FiredRule]: ...


def outcome_again(score: float, recorded: Settled) -> Outcome:
    """The outcome of a score under the recorded thresholds and rules. What a deadline answered is taken as it was recorded."""
    if recorded.outcome_by is OutcomeBy.DEADLINE:
        return recorded.outcome
    if recorded.outcome_by is OutcomeBy.HOLDOUT:
        return Outcome.APPROVE
    effects = {rule.effect for rule in recorded.fired if rule.mode is RuleMode.LIVE}
    if first := next((effect for effect in Effect if effect in effects), None):
        return _OF_EFFECT[first]
    return policy.outcome(score, recorded.thresholds)


def live_rules(fired: Sequence[FiredRule]) -> list[str]:
    """The ids of the rules that took part in the decision."""
    return [rule.id for rule in fired if rule.mode is RuleMode.LIVE]
