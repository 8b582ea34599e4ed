"""The facts of a single transaction for its entities: the records of our worker, without building columns for one row."""

from struct import Struct

from app.adapters.serde.fact_codec import VERSION
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.activity import TRANSACTION
from app.features.entities import ENTITIES

_FACT = Struct("<4Biqq8sqq")
"""As entity_facts.FACT."""


def entity_keys(transaction: Transaction) -> list[bytes]:
    """Return the keys of the entities that the transaction names."""
    named = ((entity, getattr(transaction, entity.field)) for entity in ENTITIES)
    return [entity.key(name).encode() for entity, name in named if name is not None]


def fact(transaction: Transaction, partition: int, offset: int) -> bytes:
    """Return the record value, which is the same for all entities of the transaction. Topic ids are 0: one source log."""
    digest = digest64(transaction.transaction_id)
    return _FACT.pack(VERSION, TRANSACTION, 0, 0, partition, transaction.event_time, 0, digest, 0, offset)
