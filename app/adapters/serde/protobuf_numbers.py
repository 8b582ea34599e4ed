"""The Protobuf number of every field. Numbers identify fields on the wire, so none is ever reused.

A removed field stays here, and ``protobuf_schemas`` writes its number as reserved.
"""

_DECISION = {
    "decision_id": 1,
    "transaction_id": 2,
    "customer_id": 3,
    "event_time": 4,
    "scored_at": 5,
    "score": 6,
    "outcome": 7,
    "thresholds": 8,
    "model": 9,
    "catalog": 10,
    "features": 11,
    "source": 12,
    "transaction": 13,
    "degraded": 14,
    "rules": 15,
    "reasons": 16,
    "shadow": 17,
}
"""An alert is a decision with more fields. Its own begin at 101, above all numbers of a decision, now and later."""

NUMBERS: dict[str, dict[str, int]] = {
    "Transaction": {
        "transaction_id": 1,
        "customer_id": 2,
        "terminal_id": 3,
        "event_time": 4,
        "amount_minor": 5,
        "currency": 6,
        "channel": 7,
        "mcc": 8,
        "country": 9,
        "device_id": 10,
        "card_token": 11,
        "latitude": 12,
        "longitude": 13,
    },
    "Decision": _DECISION,
    "Alert": {
        **_DECISION,
        "alert_id": 101,
        "explained_by": 102,
        "snapshot": 103,
    },
    "Label": {
        "transaction_id": 1,
        "customer_id": 2,
        "terminal_id": 3,
        "event_time": 4,
        "is_fraud": 5,
        "source": 6,
        "reported_at": 7,
        "device_id": 8,
        "card_token": 9,
    },
    "Thresholds": {"review": 1, "decline": 2},
    "ModelReference": {"name": 1, "version": 2, "digest": 3},
    "SourceOffset": {"topic": 1, "partition": 2, "offset": 3},
    "Reason": {"code": 1, "text": 2, "value": 3, "baseline": 4, "contribution": 5},
    "FeatureValue": {"value": 1, "state": 2},
    "Number": {"value": 1},
    "Notification": {
        "notification_id": 1,
        "customer_id": 2,
        "transaction_id": 3,
        "terminal_id": 4,
        "event_time": 5,
        "amount_minor": 6,
        "currency": 7,
        "outcome": 8,
        "asked_at": 9,
        "country": 10,
    },
    "Answer": {
        "notification_id": 1,
        "customer_id": 2,
        "transaction_id": 3,
        "terminal_id": 4,
        "event_time": 5,
        "is_fraud": 6,
        "answered_at": 7,
    },
}
"""Number by message and field. ``Number`` wraps a number in a list that may be missing: Protobuf lists hold no nulls."""
