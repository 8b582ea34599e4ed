"""The smallest transaction of the contract, as its fields on the wire."""

from typing import Any

REQUIRED_FIELDS: dict[str, Any] = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": 1_760_000_000_000,
    "amount_minor": 1_250,
    "currency": "EUR",
}
