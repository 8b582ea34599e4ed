"""The page to read first: transactions and what their profiles say become decisions and alerts."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from app.domain.decision import Alert, Decision, Degradation, Outcome, SourceOffset
from app.domain.identifiers import alert_id, decision_id
from app.domain.transaction import Transaction
from app.features import catalog
from app.features.profile import Observation
from app.features.window import LONGEST_MS
from app.scoring import policy
from app.scoring.model import Model, Scores
from app.scoring.reasons import stand_outs


class Scored(NamedTuple):
    """A transaction that changed its profile, with what was seen and computed."""

    transaction: Transaction
    seen: Observation
    values: list[float]
    """The features in the catalog's order."""
    offset: int


def scores(model: Model, vectors: Sequence[list[float]]) -> Scores:
    """All vectors of a chunk in one call of the model."""
    return model.score(np.array(vectors, dtype=np.float64))


def decide(
    scored: Iterable[Scored], chances: Scores, model: Model, *, topic: str, partition: int, now_ms: int
) -> list[Decision]:
    """One decision for each scored transaction, in order."""
    reference, thresholds = model.reference, model.thresholds
    decisions: list[Decision] = []
    for event, score in zip(scored, chances.tolist(), strict=True):
        transaction = event.transaction
        decision = Decision(
            decision_id=decision_id(transaction.transaction_id),
            transaction_id=transaction.transaction_id,
            customer_id=transaction.customer_id,
            event_time=transaction.event_time,
            scored_at=now_ms,
            score=score,
            outcome=policy.outcome(score, thresholds),
            thresholds=thresholds,
            model=reference,
            catalog=catalog.DIGEST,
            features=event.values,
            source=SourceOffset(topic=topic, partition=partition, offset=event.offset),
            transaction=transaction,
            degraded=degradations(event.seen, transaction.event_time),
        )
        decisions.append(decision)
    return decisions


def alert(decision: Decision, event: Scored, model: Model) -> Alert:
    """The alert of a decision: the same facts, with every feature's state and the reasons."""
    facts = msgspec.structs.asdict(decision) | {"reasons": stand_outs(event.values, model.distributions)}
    return Alert(
        **facts,
        alert_id=alert_id(decision.transaction_id),
        snapshot=catalog.snapshot(decision.transaction, event.seen, event.values),
    )


def alerts(decisions: Iterable[Decision], scored: Iterable[Scored], model: Model) -> list[Alert]:
    """Alerts of those decisions that are due one."""
    return [
        alert(decision, event, model)
        for decision, event in zip(decisions, scored, strict=True)
        if decision.outcome != Outcome.APPROVE
    ]


def degradations(seen: Observation, event_time_ms: int) -> list[Degradation]:
    """What was missing or cut when the features were computed."""
    found = [Degradation.LATE] if seen.late else []
    if seen.evicted_ms > event_time_ms - LONGEST_MS:
        found.append(Degradation.SATURATED)
    return found
