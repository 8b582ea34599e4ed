"""The page to read first: transactions and what their profiles say become decisions and alerts."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from app.domain.decision import Alert, Decision, Degradation, SourceOffset
from app.domain.identifiers import alert_id, decision_id
from app.domain.transaction import Transaction
from app.features import catalog, delayed_features, vector
from app.features.catalog import Coverage, require_width
from app.features.delayed_features import Delayed
from app.features.fold import Doubles, Folded, Integers
from app.features.window import LONGEST_MS
from app.scoring import policy
from app.scoring.lineup import Scored, Shadow
from app.scoring.model import Model, Rows
from app.scoring.reasons import Alerted, explain

require_width(__name__, vector.WIDTH + delayed_features.WIDTH, slice(catalog.WIDTH))


class ScoringInput(NamedTuple):
    """Transactions that changed their profiles, with what the profiles said: columns of equal length."""

    transactions: Sequence[Transaction]
    rows: Rows
    """The model's input."""
    degraded: Sequence[int]
    """Indexes of DEGRADED."""
    first_seen_ms: Integers
    """Shape (transactions, 1 + entities): of the customer's profile, then of each delayed entity."""
    evicted_ms: Integers

    def coverage(self, row: int) -> list[Coverage]:
        """As of one transaction: about its customer's profile and about each delayed entity."""
        return list(map(Coverage, self.first_seen_ms[row].tolist(), self.evicted_ms[row].tolist()))


def scoring_input(
    transactions: Sequence[Transaction], folded: Folded, applied: Sequence[int], delayed: Delayed
) -> ScoringInput:
    """The ``applied`` ones of folded transactions; ``delayed`` has a row for each of them."""
    chosen, places = [transactions[i] for i in applied], np.array(applied, np.int64)
    degraded = degradations(folded, [transaction.event_time for transaction in chosen], places)
    return ScoringInput(
        chosen,
        rows(folded, places, delayed.features),
        (degraded + 4 * delayed.absent).tolist(),
        np.column_stack([folded.first_seen_ms[places], delayed.first_seen_ms]),
        np.column_stack([folded.evicted_ms[places], delayed.evicted_ms]),
    )


def rows(folded: Folded, applied: Sequence[int] | Integers, delayed: Doubles) -> Rows:
    """The model's input for the ``applied`` of folded transactions: of the profile, then of the delayed entities."""
    whole = len(applied) == len(folded.features)
    return np.hstack([folded.features if whole else folded.features[applied], delayed])


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
    folded: Folded, event_times: Sequence[int] | Integers, applied: Sequence[int] | Integers
) -> Integers:
    """What of the profiles was cut when the features of each of the ``applied`` were computed: indexes of DEGRADED."""
    saturated = folded.evicted_ms[applied] > np.asarray(event_times) - LONGEST_MS
    return folded.late[applied] + 2 * saturated.astype(np.int64)


def decide(
    inputs: ScoringInput,
    sources: Sequence[SourceOffset],
    scored: Scored,
    shadow: Sequence[Shadow],
    now_ms: int,
) -> list[Decision]:
    """One decision for each transaction, in order; ``sources`` say where they stand in the log."""
    return [
        Decision(
            decision_id=decision_id(transaction.transaction_id),
            transaction_id=transaction.transaction_id,
            customer_id=transaction.customer_id,
            event_time=transaction.event_time,
            scored_at=now_ms,
            score=chance,
            outcome=policy.outcome(chance, model.thresholds),
            thresholds=model.thresholds,
            model=model.reference,
            catalog=catalog.DIGEST,
            features=values,
            source=source,
            transaction=transaction,
            degraded=DEGRADED[degraded],
            shadow=others,
        )
        for transaction, source, values, degraded, chance, model, others in zip(
            inputs.transactions,
            sources,
            inputs.rows.tolist(),
            inputs.degraded,
            scored.scores,
            scored.models,
            shadow,
            strict=True,
        )
    ]


def alert(decision: Decision, values: list[float], coverage: Sequence[Coverage], model: Model) -> Alert:
    """The alert of a decision: the same facts, with every feature's state and the reasons."""
    observed_ms = decision.event_time - max(coverage[0])
    found = explain(Alerted(values, decision.transaction.currency, observed_ms), model)
    return Alert(
        **msgspec.structs.asdict(decision) | {"reasons": found.reasons},
        alert_id=alert_id(decision.transaction_id),
        explained_by=found.method,
        snapshot=catalog.snapshot(values, decision.event_time, coverage),
    )
