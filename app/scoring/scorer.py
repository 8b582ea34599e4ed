"""Turns transactions and their features into decisions and alerts. Start reading here."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from app.computation.feature_set import FeatureSet
from app.computation.interface import Computation
from app.domain.decision import Alert, Decision, Degradation, SourceOffset
from app.domain.identifiers import alert_id, decision_id
from app.domain.transaction import Transaction
from app.features import catalog, delayed_features, vector
from app.features.catalog import Coverage, require_width
from app.features.delayed_features import Delayed
from app.features.fold import Folded, Integers
from app.scoring.lineup import Scored, Shadow
from app.scoring.model import Model, Rows
from app.scoring.reasons import Alerted, explain
from app.scoring.verdicts import Verdicts, by_thresholds, live_rules

require_width(__name__, vector.WIDTH + delayed_features.WIDTH, slice(catalog.WIDTH))


_NO_RULES: list[str] = []


class ScoringInput(NamedTuple):
    """The transactions to score and their features, as columns of equal length."""

    features: FeatureSet
    transactions: Sequence[Transaction]
    rows: Rows
    """Shape (transactions, features): the model's input."""
    degraded: Sequence[int]
    """Indexes of DEGRADED."""
    first_seen_ms: Integers
    """Shape (transactions, 1 + entities): of the customer's profile, then of each delayed entity."""
    evicted_ms: Integers
    """Shape (transactions, 1 + entities), in the same order."""

    def coverage(self, row: int) -> list[Coverage]:
        """Return the coverage of the profile and of each delayed entity, as of one transaction."""
        return list(map(Coverage, self.first_seen_ms[row].tolist(), self.evicted_ms[row].tolist()))


def scoring_input(
    computation: Computation,
    transactions: Sequence[Transaction],
    folded: Folded,
    applied: Sequence[int],
    delayed: Delayed,
) -> ScoringInput:
    """Select the ``applied`` of folded transactions; ``delayed`` has a row for each of them."""
    chosen, indexes = [transactions[i] for i in applied], np.array(applied, np.int64)
    event_times = [transaction.event_time for transaction in chosen]
    degraded = degradations(folded, event_times, indexes, computation.longest_ms)
    return ScoringInput(
        computation.features,
        chosen,
        computation.rows(folded, indexes, delayed.features),
        (degraded + 4 * delayed.absent).tolist(),
        np.column_stack([folded.first_seen_ms[indexes], delayed.first_seen_ms]),
        np.column_stack([folded.evicted_ms[indexes], delayed.evicted_ms]),
    )


_PROFILE_DEGRADED: tuple[list[Degradation], ...] = (
    [],
    [Degradation.LATE],
    [Degradation.SATURATED],
    [Degradation.LATE, Degradation.SATURATED],
)
DEGRADED: tuple[list[Degradation], ...] = (
    *_PROFILE_DEGRADED,
    *([*flags, Degradation.ENTITIES_ABSENT] for flags in _PROFILE_DEGRADED),
)


def degradations(
    folded: Folded, event_times: Sequence[int] | Integers, applied: Integers, longest_ms: int
) -> Integers:
    """Return for each of the ``applied`` how its profile was incomplete, as an index of DEGRADED."""
    saturated = folded.evicted_ms[applied] > np.asarray(event_times) - longest_ms
    return folded.late[applied] + 2 * saturated.astype(np.int64)


def decide(
    inputs: ScoringInput,
    sources: Sequence[SourceOffset],
    scored: Scored,
    shadow: Sequence[Shadow],
    now_ms: int,
    verdicts: Verdicts | None = None,
) -> list[Decision]:
    """Return a decision for each transaction, in order; ``sources`` are their positions in the log.

    Without ``verdicts`` the thresholds of the models decide.
    """
    settled = verdicts or by_thresholds(scored)
    return [
        Decision(
            decision_id=decision_id(transaction.transaction_id),
            transaction_id=transaction.transaction_id,
            customer_id=transaction.customer_id,
            event_time=transaction.event_time,
            scored_at=now_ms,
            score=score,
            outcome=outcome,
            thresholds=thresholds,
            model=model.reference,
            catalog=inputs.features.digest,
            features=values,
            source=source,
            transaction=transaction,
            degraded=DEGRADED[degraded],
            shadow=others,
            policy=settled.policy,
            lists_offset=settled.lists_offset,
            outcome_by=settled_by,
            rules=live_rules(fired) if fired else _NO_RULES,
            fired=fired,
            holdout=holdout,
        )
        for transaction, source, values, degraded, score, model, others, outcome, thresholds, settled_by, fired, holdout in zip(
            inputs.transactions,
            sources,
            inputs.rows.tolist(),
            inputs.degraded,
            scored.scores,
            scored.models,
            shadow,
            settled.outcomes,
            settled.thresholds,
            settled.settled_by,
            settled.fired,
            settled.holdouts,
            strict=True,
        )
    ]


def alert(
    decision: Decision,
    features: FeatureSet,
    values: list[float],
    coverage: Sequence[Coverage],
    model: Model,
) -> Alert:
    """Return the alert of a decision: the fields of the decision, the reasons, and every feature with its state."""
    observed_ms = decision.event_time - max(coverage[0])
    found = explain(Alerted(features, values, decision.transaction.currency, observed_ms), model)
    return Alert(
        **msgspec.structs.asdict(decision) | {"reasons": found.reasons},
        alert_id=alert_id(decision.transaction_id),
        explained_by=found.method,
        snapshot=features.snapshot(values, decision.event_time, coverage),
    )
