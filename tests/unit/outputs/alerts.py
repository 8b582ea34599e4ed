"""Alerts for tests of what people see."""

from collections.abc import Sequence

from app.domain.decision import (
    Alert,
    ModelReference,
    Reason,
    SourceOffset,
    Thresholds,
)
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import Transaction

BEGIN_MS = 1_764_201_600_000


def reason(code: str, value: float | None = 1.0, baseline: float | None = None, text: str = "said") -> Reason:
    return Reason(code=code, text=text, value=value, baseline=baseline)


def alert(
    *,
    customer: str = "c0000001",
    terminal: str = "m0000001",
    minutes: int = 0,
    outcome: Outcome = Outcome.REVIEW,
    score: float = 0.5,
    amount_minor: int = 1_250,
    currency: str = "EUR",
    reasons: Sequence[Reason] = (),
) -> Alert:
    """An alert ``minutes`` after ``BEGIN_MS``."""
    at, name = BEGIN_MS + minutes * 60_000, f"t{minutes}-{customer}"
    return Alert(
        decision_id=f"decision-{name}",
        transaction_id=name,
        customer_id=customer,
        event_time=at,
        scored_at=at,
        score=score,
        outcome=outcome,
        thresholds=Thresholds(review=0.05, decline=0.98),
        model=ModelReference(name="baseline", version="1", digest="d"),
        catalog="",
        features=[],
        source=SourceOffset(topic="t", partition=0, offset=minutes),
        transaction=Transaction(
            transaction_id=name,
            customer_id=customer,
            terminal_id=terminal,
            event_time=at,
            amount_minor=amount_minor,
            currency=currency,
        ),
        reasons=list(reasons),
        alert_id=f"alert-{name}",
        snapshot={},
    )
