"""A recount of policies, transaction by transaction. Shares no code with ``app.policy`` but the definitions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, OutcomeBy, RuleMode
from app.expressions.names import Names
from app.policy.definitions import Policy
from tests.support.expressions import oracle


class Given(NamedTuple):
    """A transaction with the thresholds of its model."""

    row: tuple[Any, ...]
    entries: dict[str, frozenset[str]]
    thresholds: tuple[float, float]
    is_late: bool = False


class Answer(NamedTuple):
    outcome: Outcome
    by: OutcomeBy
    fired: tuple[tuple[str, bool], ...]
    """Rule and whether it decided, in order of precedence."""
    thresholds: tuple[float, float]


class Recount:
    """Decides the transactions of one partition, one after the other."""

    def __init__(self, policy: Policy, names: Names) -> None:
        self._policy = policy
        self._indexes = {column.name: index for index, column in enumerate(names.columns)}
        self._seen = 0
        self._hits: dict[str, int] = {}
        self._demoted: set[str] = set()

    def answers(self, given: Sequence[Given]) -> list[Answer]:
        return [self.answer(each) for each in given]

    def answer(self, given: Given) -> Answer:
        fired = self._fired(given)
        outcome, by, thresholds = self._by_band(given)
        for effect in (Effect.BLOCK, Effect.APPROVE, Effect.DECLINE, Effect.REVIEW):
            if any(live and self._then(rule) is effect for rule, live in fired):
                by = OutcomeBy.RULE
                outcome = {
                    Effect.BLOCK: Outcome.DECLINE,
                    Effect.APPROVE: Outcome.APPROVE,
                    Effect.DECLINE: Outcome.DECLINE,
                    Effect.REVIEW: Outcome.REVIEW,
                }[effect]
                break
        deadline = self._policy.deadline
        if deadline is not None and given.is_late:
            channel = given.row[self._indexes["channel"]]
            outcome = deadline.channels.get(str(channel), deadline.default)
            by = OutcomeBy.DEADLINE
        return Answer(outcome, by, tuple(fired), thresholds)

    def _fired(self, given: Given) -> list[tuple[str, bool]]:
        if self._seen == self._policy.hit_rate_window:
            self._seen, self._hits = 0, {}
        self._seen += 1
        time = given.row[self._indexes["event_time"]]
        found = []
        for rule in self._policy.rules:
            is_expired = type(time) is int and -(2**63) < time < 2**63 and time >= rule.expires_ms
            if rule.mode is RuleMode.OFF or is_expired:
                continue
            if oracle.value(rule.when, given.row, given.entries) is True:
                self._hits[rule.id] = self._hits.get(rule.id, 0) + 1
                if self._hits[rule.id] / self._policy.hit_rate_window > rule.max_hit_rate:
                    self._demoted.add(rule.id)
                found.append((rule.id, rule.mode is RuleMode.LIVE and rule.id not in self._demoted))
        order = [Effect.BLOCK, Effect.APPROVE, Effect.DECLINE, Effect.REVIEW]
        return sorted(found, key=lambda each: order.index(self._then(each[0])))

    def _then(self, rule_id: str) -> Effect:
        return next(rule.then for rule in self._policy.rules if rule.id == rule_id)

    def _by_band(self, given: Given) -> tuple[Outcome, OutcomeBy, tuple[float, float]]:
        review, decline = given.thresholds
        for band in self._policy.bands:
            if band.when is None or oracle.value(band.when, given.row, given.entries) is True:
                review, decline = band.thresholds.review, band.thresholds.decline
                break
        score = given.row[self._indexes["score"]]
        assert isinstance(score, float)
        outcome = (
            Outcome.DECLINE if score >= decline else Outcome.REVIEW if score >= review else Outcome.APPROVE
        )
        return outcome, OutcomeBy.BAND, (review, decline)
