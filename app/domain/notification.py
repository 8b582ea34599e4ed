"""Questions to customers and their answers: the contracts of ``crm.notifications.v1`` and ``crm.answers.v1``.

Neither contains card data.
"""

import msgspec

from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import AmountMinor, Country, Currency, EventTime, Identifier


class Notification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Was this you? One an episode of alerts; ``notification_id`` is the same however often it is produced."""

    notification_id: str
    customer_id: Identifier
    transaction_id: Identifier
    terminal_id: Identifier
    event_time: EventTime
    amount_minor: AmountMinor
    currency: Currency
    outcome: Outcome
    """Whether the transaction went through."""
    asked_at: EventTime
    """When the alert was raised."""
    country: Country | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer said. The fields of the transaction are those of the notification."""

    notification_id: str
    customer_id: Identifier
    transaction_id: Identifier
    terminal_id: Identifier
    event_time: EventTime
    is_fraud: bool
    """True if the customer did not make the transaction."""
    answered_at: EventTime
