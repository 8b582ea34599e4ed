"""Changes of cases: the contract of ``fraud.cases.v1``. A case is what an analyst works: the alerts of one customer.

Each change is self-contained: it holds the case after the change, and what the change added. The topic alone rebuilds every case.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from app.domain.decision import Score
from app.domain.label import LabelSource
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import AmountMinor, Currency, EventTime, Identifier, Token

PersonName = Annotated[str, Meta(min_length=1, max_length=128)]
"""The analyst's name at the identity provider."""
MAX_LOSS = 2**63 - 1
"""The largest sum of losses: what a 64-bit integer holds. A sum beyond it stays there."""
Loss = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_LOSS,
        description="Expected loss: score times amount, in hundredths of the major unit of each amount's currency.",
    ),
]


class Status(StrEnum):
    OPEN = "open"
    """Waits for an analyst."""
    CLAIMED = "claimed"
    """An analyst works on it until the lease ends; then it waits again."""
    SNOOZED = "snoozed"
    """Hidden from the queue until a time, or until the customer's next alert."""
    CLOSED = "closed"
    """It has a disposition. The customer's next alert opens another case."""


class Disposition(StrEnum):
    """The closed list of results of an analyst's work."""

    FRAUD_ACCOUNT_TAKEOVER = "fraud_account_takeover"
    FRAUD_CARD_NOT_PRESENT = "fraud_card_not_present"
    FRAUD_AUTHORISED_PUSH_PAYMENT = "fraud_authorised_push_payment"
    FRAUD_MULE = "fraud_mule"
    FRAUD_FIRST_PARTY = "fraud_first_party"
    GENUINE_TRAVEL = "genuine_travel"
    GENUINE_CONFIRMED = "genuine_confirmed"
    UNSURE = "unsure"

    @property
    def is_fraud(self) -> bool | None:
        """None for an analyst who is not sure."""
        return None if self is Disposition.UNSURE else self.startswith("fraud_")


class ChangeKind(StrEnum):
    OPENED = "opened"
    ALERTS_ADDED = "alerts_added"
    LABELLED = "labelled"
    """The outcome of a transaction of the case became known, or changed."""
    ANSWERED = "answered"
    """The customer answered the question about a transaction of the case."""
    CLAIMED = "claimed"
    RENEWED = "renewed"
    RELEASED = "released"
    SNOOZED = "snoozed"
    CLOSED = "closed"
    REOPENED = "reopened"


class CaseAlert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert of a case."""

    alert_id: str
    transaction_id: Identifier
    customer_id: Identifier
    terminal_id: Identifier
    event_time: EventTime
    scored_at: EventTime
    score: Score
    outcome: Outcome
    amount_minor: AmountMinor
    currency: Currency
    device_id: Token | None = None
    card_token: Token | None = None


class CaseLabel(msgspec.Struct, frozen=True, kw_only=True):
    """The newest label of a transaction of the case."""

    transaction_id: Identifier
    is_fraud: bool
    source: LabelSource
    reported_at: EventTime


class CaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The newest answer of the customer about a transaction of the case."""

    transaction_id: Identifier
    is_fraud: bool
    answered_at: EventTime


class CaseChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: the case as it is after it. ``version`` counts the changes of a case from 1, without a gap."""

    change_id: str
    """``CASE_ID:VERSION``; the same however often the change is produced."""
    case_id: str
    version: int
    kind: ChangeKind
    changed_at: EventTime
    customer_id: Identifier
    status: Status
    opened_at: EventTime
    due_at: EventTime
    """When an analyst must have closed it."""
    alert_count: int
    expected_loss: Loss
    assignee: PersonName | None = None
    lease_until: EventTime | None = None
    snoozed_until: EventTime | None = None
    disposition: Disposition | None = None
    closed_at: EventTime | None = None
    alerts: list[CaseAlert] = []
    """The alerts that this change added."""
    labels: list[CaseLabel] = []
    """The labels that this change brought."""
    answers: list[CaseAnswer] = []
    """The answers that this change brought."""
