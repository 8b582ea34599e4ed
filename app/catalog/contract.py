"""The fields that every transaction has, as expressions and features name them: those of ``app.domain.transaction``."""

from types import MappingProxyType

from app.catalog.definitions import Field
from app.domain.bounded import LATEST_MS
from app.domain.transaction import MAX_AMOUNT_MINOR
from app.expressions.names import Kind

CONTRACT = (
    Field(name="transaction_id", kind=Kind.IDENTIFIER, required=True, declared=False),
    Field(name="customer_id", kind=Kind.IDENTIFIER, required=True, declared=False),
    Field(name="terminal_id", kind=Kind.IDENTIFIER, required=True, declared=False),
    Field(name="event_time", kind=Kind.TIME, required=True, declared=False),
    Field(
        name="amount",
        kind=Kind.MONEY,
        minimum=0,
        maximum=MAX_AMOUNT_MINOR,
        required=True,
        declared=False,
    ),
    Field(name="currency", kind=Kind.TEXT, max_length=3, required=True, declared=False),
    Field(name="channel", kind=Kind.TEXT, declared=False),
    Field(name="mcc", kind=Kind.TEXT, max_length=4, declared=False),
    Field(name="country", kind=Kind.TEXT, max_length=2, declared=False),
    Field(name="device_id", kind=Kind.IDENTIFIER, declared=False),
    Field(name="card_token", kind=Kind.IDENTIFIER, declared=False),
    Field(name="latitude", kind=Kind.NUMBER, minimum=-90, maximum=90, decimals=6, declared=False),
    Field(name="longitude", kind=Kind.NUMBER, minimum=-180, maximum=180, decimals=6, declared=False),
    Field(name="decide_by", kind=Kind.TIME, minimum=0, maximum=LATEST_MS, declared=False),
)
ON_THE_WIRE = MappingProxyType({"amount": "amount_minor"})
"""The name of a field in records, where it differs."""
RESERVED = frozenset({*ON_THE_WIRE.values(), "is_fraud", "fraud_pattern"})
"""Names that records and files already use: no declared field may have one. The last two would give a model the label."""
