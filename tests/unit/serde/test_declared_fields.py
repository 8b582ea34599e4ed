"""Decisions with declared fields are written in every format; formats with a schema leave these fields out, and never fail."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.adapters.serde import avro_values, protobuf_values
from app.adapters.serde.json_codec import encode_event
from app.catalog.definitions import Field
from app.catalog.transaction_type import transaction_type
from app.domain.decision import Decision, ModelReference, SourceOffset, Thresholds
from app.domain.outcomes.outcome import Outcome
from app.domain.transaction import Transaction
from app.expressions.names import Kind

CONTRACT = {
    "transaction_id": "t1",
    "customer_id": "c1",
    "terminal_id": "m1",
    "event_time": 1_760_000_000_000,
    "amount_minor": 100,
    "currency": "EUR",
}
PAYMENT = transaction_type((Field(name="payee_id", kind=Kind.IDENTIFIER),))


def decision(transaction: Transaction) -> Decision:
    return Decision(
        decision_id="d1",
        transaction_id="t1",
        customer_id="c1",
        event_time=transaction.event_time,
        scored_at=1,
        score=0.5,
        outcome=Outcome.APPROVE,
        thresholds=Thresholds(review=0.6, decline=0.9),
        model=ModelReference(name="own", version="1", digest="d"),
        catalog="c",
        features=[1.0, None],
        source=SourceOffset(topic="t", partition=0, offset=0),
        transaction=transaction,
    )


@pytest.mark.parametrize("writer", [avro_values.writer, protobuf_values.writer])
def test_a_decision_on_declared_fields_is_written_as_one_without(writer: Callable[..., Any]) -> None:
    write = writer(Decision)
    plain = decision(msgspec.convert(CONTRACT, Transaction))
    with_declared = decision(msgspec.convert(CONTRACT | {"payee_id": "p1"}, PAYMENT))

    assert b"payee_id" in encode_event(with_declared)
    assert write(encode_event(plain)) == write(encode_event(with_declared))
