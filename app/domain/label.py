"""Labels, the later outcomes of transactions: the contract of ``fraud.labels.v1``."""

from enum import StrEnum

import msgspec

from app.domain.transaction import EventTime, Identifier, Token


class LabelSource(StrEnum):
    CHARGEBACK = "chargeback"
    ANALYST = "analyst"
    CUSTOMER = "customer"


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A later label for the same transaction replaces an earlier one; ``reported_at`` says when it was known.

    It names the entities that it is about as the transaction does: one that it leaves out does not hear of it.
    """

    transaction_id: Identifier
    customer_id: Identifier
    terminal_id: Identifier
    event_time: EventTime
    is_fraud: bool
    source: LabelSource
    reported_at: EventTime
    device_id: Token | None = None
    card_token: Token | None = None
