"""A policy in the hot path: it settles the outcomes of scored chunks, and keeps what its bounds count in each partition."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.computation.policy_columns import PolicyColumns
from app.domain.decision import Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.outcomes.policy import Holdout, OutcomeBy, PolicyReference
from app.domain.transaction import Transaction
from app.policy import hit_rates, holdout
from app.policy.hit_rates import HitState, Matrix
from app.policy.holdout import Allowance, Declined, HoldoutState
from app.policy.lists import DatedLists
from app.policy.program import OUTCOMES, SETTLED_BY, ModelThresholds, PolicyProgram
from app.scoring.lineup import Scored
from app.scoring.scorer import ScoringInput
from app.scoring.verdicts import Verdicts


class ListsAsOf(NamedTuple):
    """The lists that one computation sees, and the offset of the newest record among them."""

    lists: DatedLists
    offset: int


class LoadedPolicy(NamedTuple):
    """A policy that passed its checks."""

    reference: PolicyReference
    program: PolicyProgram
    columns: PolicyColumns


class Part(NamedTuple):
    """The rows of one partition in a computation."""

    partition: int
    rows: slice


class PolicyRun:
    """Settles the outcomes of chunks by one policy. Another policy replaces the whole run between two chunks.

    ``on_demoted`` receives a partition and the ids of the rules that have exceeded their hit rate in it.
    """

    def __init__(
        self,
        loaded: LoadedPolicy,
        partitions: int,
        lists: Callable[[], ListsAsOf],
        on_demoted: Callable[[int, list[str]], None] = lambda _partition, _rules: None,
    ) -> None:
        self.loaded = loaded
        self._partitions = partitions
        self._lists = lists
        self._on_demoted = on_demoted
        self._hits: dict[int, HitState] = {}
        self._holdouts: dict[int, HoldoutState] = {}

    def settle(self, inputs: ScoringInput, scored: Scored, parts: Sequence[Part], now_ms: int) -> Verdicts:
        """The verdicts for the transactions of a computation; ``parts`` have their partitions, in order."""
        program, as_of = self.loaded.program, self._lists()
        chunk = self.loaded.columns.chunk(inputs.transactions, inputs.rows, np.array(scored.scores))
        matches = program.matches(chunk, as_of.lists)
        live = self._count_hits(matches.rules, parts)
        late = self._late(inputs.transactions, now_ms)
        settled = program.settle(chunk, matches, live, _of_models(scored), late)
        verdicts = Verdicts(
            [OUTCOMES[code] for code in settled.outcomes.tolist()],
            list(map(_thresholds, settled.review.tolist(), settled.decline.tolist())),
            [SETTLED_BY[code] for code in settled.outcome_by.tolist()],
            program.fired(matches.rules, live),
            [None] * chunk.rows,
            self.loaded.reference,
            as_of.offset,
        )
        return self._held_out(verdicts, inputs.transactions, parts)

    def forget(self) -> None:
        """Drop the counts: other workers may decide the partitions now."""
        self._hits.clear()
        self._holdouts.clear()

    def _count_hits(self, fired: Matrix, parts: Sequence[Part]) -> Matrix:
        """For each rule and transaction whether the rule decides; counts the hits of each partition."""
        live = np.zeros(fired.shape, np.bool_)
        for partition, rows in parts:
            before = self._hits.get(partition, HitState())
            after, live[:, rows] = hit_rates.advance(before, fired[:, rows], self.loaded.program.limits)
            self._hits[partition] = after
            if fresh := set(after.demoted) - set(before.demoted):
                rules = self.loaded.program.rules
                self._on_demoted(partition, [rules[index].id for index in sorted(fresh)])
        return live

    def _late(self, transactions: Sequence[Transaction], now_ms: int) -> NDArray[np.bool_] | None:
        if self.loaded.program.policy.deadline is None:
            return None
        return np.array(
            [each.decide_by is not None and each.decide_by < now_ms for each in transactions], np.bool_
        )

    def _held_out(
        self, verdicts: Verdicts, transactions: Sequence[Transaction], parts: Sequence[Part]
    ) -> Verdicts:
        """Release declines by score bands at random, as the policy allows."""
        terms = self.loaded.program.policy.holdout
        if terms is None:
            return verdicts
        outcomes, settled_by = list(verdicts.outcomes), list(verdicts.settled_by)
        holdouts = list(verdicts.holdouts)
        for partition, rows in parts:
            declined = list(self._declined(verdicts, transactions, rows))
            state = self._holdouts.get(partition, HoldoutState())
            allowance = Allowance.of(terms, partition, self._partitions)
            self._holdouts[partition], released = holdout.release(state, declined, allowance)
            for row in released:
                outcomes[row], settled_by[row] = Outcome.APPROVE, OutcomeBy.HOLDOUT
                holdouts[row] = Holdout(propensity=terms.share, overridden=Outcome.DECLINE)
        return verdicts._replace(outcomes=outcomes, settled_by=settled_by, holdouts=holdouts)

    def _declined(
        self, verdicts: Verdicts, transactions: Sequence[Transaction], rows: slice
    ) -> Iterator[Declined]:
        currency = self.loaded.program.policy.reference_currency
        for row in range(*rows.indices(len(transactions))):
            if verdicts.outcomes[row] is Outcome.DECLINE and verdicts.settled_by[row] is OutcomeBy.BAND:
                each = transactions[row]
                amount = each.amount_minor if each.currency == currency else None
                yield Declined(row, each.transaction_id, each.event_time, amount)


def _of_models(scored: Scored) -> ModelThresholds:
    review, decline = (
        [getattr(model.thresholds, name) for model in scored.models] for name in ("review", "decline")
    )
    return ModelThresholds(np.array(review, np.float64), np.array(decline, np.float64))


@lru_cache(maxsize=1_024)
def _thresholds(review: float, decline: float) -> Thresholds:
    return Thresholds(review=review, decline=decline)
