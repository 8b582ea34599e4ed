"""The page to read first: transactions and what their profiles say become decisions and alerts."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
import numpy as np

from app.domain.decision import Alert, Decision, Degradation, SourceOffset
from app.domain.identifiers import alert_id, decision_id
from app.domain.transaction import Transaction
from app.features import catalog
from app.features.profile import Observation
from app.features.window import LONGEST_MS
from app.scoring import policy
from app.scoring.model import Model, Scores
from app.scoring.reasons import stand_outs


class Scored(NamedTuple):
    """A transaction that changed its profile, ready to be scored."""

    transaction: Transaction
    seen: Observation
    values: list[float]
    """The features in the catalog's order."""
    offset: int


def score(model: Model, scored: Sequence[Scored]) -> Scores:
    """The chances of fraud of a whole chunk in one call of the model."""
    width = len(catalog.FEATURES)
    cells = chain.from_iterable(event.values for event in scored)
    return model.score(np.fromiter(cells, np.float64, len(scored) * width).reshape(len(scored), width))


def decide(
    scored: Iterable[Scored], chances: Scores, model: Model, topic: str, partition: int, now_ms: int
) -> list[Decision]:
    """One decision for each scored transaction, in order."""
    reference, thresholds = model.reference, model.thresholds
    return [
        Decision(
            decision_id=decision_id(event.transaction.transaction_id),
            transaction_id=event.transaction.transaction_id,
            customer_id=event.transaction.customer_id,
            event_time=event.transaction.event_time,
            scored_at=now_ms,
            score=chance,
            outcome=policy.outcome(chance, thresholds),
            thresholds=thresholds,
            model=reference,
            catalog=catalog.DIGEST,
            features=event.values,
            source=SourceOffset(topic=topic, partition=partition, offset=event.offset),
            transaction=event.transaction,
            degraded=degradations(event.seen, event.transaction.event_time),
        )
        for event, chance in zip(scored, chances.tolist(), strict=True)
    ]


def alert(decision: Decision, event: Scored, model: Model) -> Alert:
    """The alert of a decision: the same facts, with every feature's state and the reasons."""
    facts = msgspec.structs.asdict(decision) | {"reasons": stand_outs(event.values, model.distributions)}
    return Alert(
        **facts,
        alert_id=alert_id(decision.transaction_id),
        snapshot=catalog.snapshot(decision.transaction, event.seen, event.values),
    )


def degradations(seen: Observation, event_time_ms: int) -> list[Degradation]:
    """What was missing or cut when the features were computed."""
    found = [Degradation.LATE] if seen.late else []
    if seen.evicted_ms > event_time_ms - LONGEST_MS:
        found.append(Degradation.SATURATED)
    return found
