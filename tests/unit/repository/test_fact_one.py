"""What the bench's rivals tell of a transaction is byte for byte what our worker tells."""

import numpy as np

from app.adapters.serde.fact_codec import Sources, transaction_facts
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.columns import digests
from app.features.delayed_features import touched
from app.processing.fact_records import entity_records
from bench.contestants.fact_one import entity_keys, fact


def test_a_single_transaction_tells_what_a_chunk_of_one_does() -> None:
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
        told.values() for told in entity_records(touched([transaction]), facts, 1, [slice(None)])
    )

    told = [(key, fact(transaction, 3, 17)) for key in entity_keys(transaction)]
    assert told == [(record.key, record.value) for record in records]
