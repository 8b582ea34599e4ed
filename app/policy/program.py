"""Evaluates a policy over the columns of a chunk: which rules fire, which band applies, what is answered and what settled it.

All rules are always evaluated. Precedence is fixed: block rule > approve rule > decline rule > review rule > score band; a transaction
whose deadline has passed gets the answer of the deadline.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Effect, FiredRule, OutcomeBy, RuleMode
from app.expressions.names import Names
from app.expressions.vector.columns import Chunk, Texts, Values
from app.policy.conditions import Conditions
from app.policy.definitions import EVENT_TIME, SCORE, Policy, Rule
from app.policy.hit_rates import Limits, Matrix
from app.policy.lists import DatedLists

OUTCOMES = tuple(Outcome)
"""By severity: the outcome of a code."""
SETTLED_BY = tuple(OutcomeBy)
MODEL_BAND = -1
"""The band of a row that no band of the policy matches: the thresholds are those of the model."""
_EFFECTS = (
    (Effect.REVIEW, Outcome.REVIEW),
    (Effect.DECLINE, Outcome.DECLINE),
    (Effect.APPROVE, Outcome.APPROVE),
    (Effect.BLOCK, Outcome.DECLINE),
)
"""The weakest effect first: each overrides those before it."""


class Matches(NamedTuple):
    """What the conditions of a policy say of a chunk."""

    rules: Matrix
    """Whether each rule fires; those that are off are no rows of it (``PolicyProgram.rules``)."""
    bands: NDArray[np.int16]
    """The index of the first band that matches; MODEL_BAND for none."""


class Settled(NamedTuple):
    """The answers to the rows of a chunk."""

    outcomes: NDArray[np.int8]
    """Indexes of OUTCOMES."""
    outcome_by: NDArray[np.int8]
    """Indexes of SETTLED_BY."""
    review: NDArray[np.float64]
    """The thresholds that were compared with the score, also where a rule, a deadline or a holdout settled the outcome."""
    decline: NDArray[np.float64]


class ModelThresholds(NamedTuple):
    """The thresholds of the model that scored each row; of all rows where they have one element."""

    review: NDArray[np.float64]
    decline: NDArray[np.float64]


class PolicyProgram:
    """A compiled policy, for chunks whose columns are those of ``names``.

    >>> matches = program.matches(chunk, lists)                                       # doctest: +SKIP
    >>> live, state = hit_rates.advance(state, matches.rules, program.limits)         # doctest: +SKIP
    >>> program.settle(chunk, matches, live, thresholds), program.fired(matches.rules, live)  # doctest: +SKIP
    """

    def __init__(self, policy: Policy, names: Names) -> None:
        self.policy = policy
        self.names = names
        self.rules: tuple[Rule, ...] = tuple(rule for rule in policy.rules if rule.mode is not RuleMode.OFF)
        self.is_live: NDArray[np.bool_] = np.array(
            [rule.mode is RuleMode.LIVE for rule in self.rules], np.bool_
        )
        self._bands = [band for band in policy.bands if band.when is not None]
        """A band without condition is the last one."""
        has_default = len(self._bands) < len(policy.bands)
        self._otherwise = len(self._bands) if has_default else MODEL_BAND
        self.conditions = Conditions(
            [rule.when for rule in self.rules] + [band.when for band in self._bands if band.when is not None],
            [rule.expires_ms for rule in self.rules],
            names,
        )
        self._by_effect = {
            effect: np.flatnonzero([rule.then is effect for rule in self.rules]) for effect in Effect
        }
        self._fired = [
            {
                live: FiredRule(id=rule.id, effect=rule.then, mode=RuleMode.LIVE if live else RuleMode.SHADOW)
                for live in (False, True)
            }
            for rule in self.rules
        ]
        precedence = list(Effect)
        self._order = sorted(
            range(len(self.rules)), key=lambda index: precedence.index(self.rules[index].then)
        )

    @cached_property
    def limits(self) -> Limits:
        """The bounds on hits, for ``hit_rates.advance``."""
        return Limits.of(self.rules, self.is_live, self.policy.hit_rate_window)

    @property
    def needed(self) -> frozenset[str]:
        """The columns that a chunk must have; any other may be empty."""
        channel = {"channel"} if self.policy.deadline else set()
        return self.conditions.needed | {EVENT_TIME, SCORE} | channel

    def matches(self, chunk: Chunk, lists: DatedLists) -> Matches:
        """Evaluate all conditions, by closures for few rows and by NumPy for many: both give the same."""
        found = self.conditions.holds(chunk, lists)
        bands = np.full(chunk.rows, self._otherwise, np.int16)
        for index in reversed(range(len(self._bands))):
            bands[found[len(self.rules) + index]] = index
        return Matches(found[: len(self.rules)], bands)

    def settle(
        self,
        chunk: Chunk,
        matches: Matches,
        live: Matrix,
        thresholds: ModelThresholds,
        late: NDArray[np.bool_] | None = None,
    ) -> Settled:
        """Return the answers. ``live`` says for each rule and row whether the rule decides (hit_rates); ``late`` which deadlines
        have passed.
        """
        review, decline = (
            self._thresholds(matches.bands, name, getattr(thresholds, name)) for name in ("review", "decline")
        )
        scores = chunk.column(self.names.indexes[SCORE], Values).data
        outcomes = np.where(scores >= decline, 2, np.where(scores >= review, 1, 0)).astype(np.int8)
        settled_by = np.full(chunk.rows, SETTLED_BY.index(OutcomeBy.BAND), np.int8)
        deciding = matches.rules & live
        for effect, outcome in _EFFECTS:
            if len(indexes := self._by_effect[effect]):
                hit = deciding[indexes].any(axis=0)
                outcomes[hit] = OUTCOMES.index(outcome)
                settled_by[hit] = SETTLED_BY.index(OutcomeBy.RULE)
        if self.policy.deadline is not None and late is not None and late.any():
            outcomes[late] = self._answers(chunk)[late]
            settled_by[late] = SETTLED_BY.index(OutcomeBy.DEADLINE)
        return Settled(outcomes, settled_by, review, decline)

    def fired(self, rules: Matrix, live: Matrix) -> list[list[FiredRule]]:
        """The rules that fired for each row, in order of precedence. Only rows with one cost anything."""
        found: list[list[FiredRule]] = [[] for _ in range(rules.shape[1])]
        if not rules.any():
            return found
        live = np.broadcast_to(live, rules.shape)
        for rule in self._order:
            for row in np.flatnonzero(rules[rule]).tolist():
                found[row].append(self._fired[rule][bool(live[rule, row])])
        return found

    def _thresholds(
        self, bands: NDArray[np.int16], name: str, of_model: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not self.policy.bands:
            return np.broadcast_to(of_model, len(bands))
        table = np.array([getattr(band.thresholds, name) for band in self.policy.bands] + [0.0])
        return np.where(bands == MODEL_BAND, of_model, table[bands])

    def _answers(self, chunk: Chunk) -> NDArray[np.int8]:
        """What the deadline answers for the channel of each row."""
        deadline = self.policy.deadline
        if deadline is None:
            raise ValueError("the policy has no deadline")
        codes, distinct = chunk.column(self.names.indexes["channel"], Texts)
        answers: Sequence[Outcome] = [deadline.channels.get(each, deadline.default) for each in distinct]
        # The last answer, of code -1, is that of a transaction without a channel.
        table = np.array([OUTCOMES.index(each) for each in (*answers, deadline.default)], np.int8)
        return table[codes]
