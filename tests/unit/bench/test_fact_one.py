"""The bench's contestants encode the facts of a transaction byte for byte as the worker does."""

import numpy as np

from app.adapters.serde.fact_codec import Sources, transaction_facts
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.columns import digests
from app.features.delayed_features import touched
from app.processing.fact_records import entity_records
from bench.contestants.fact_one import entity_keys, fact


def test_the_facts_of_one_transaction_equal_those_of_a_chunk_of_one() -> None:
    transaction = Transaction(
        transaction_id="t-1",
        customer_id="c-7",
        terminal_id="m-9",
        event_time=1_760_000_000_123,
        amount_minor=5,
        currency="EUR",
    )
    times_ms = np.array([transaction.event_time])
    facts = transaction_facts(times_ms, digests([digest64("t-1")]), Sources(0, [3], [17]))
    ((records,),) = (
        by_entity.values() for by_entity in entity_records(touched([transaction]), facts, 1, [slice(None)])
    )

    expected = [(key, fact(transaction, 3, 17)) for key in entity_keys(transaction)]
    assert expected == [(record.key, record.value) for record in records]
