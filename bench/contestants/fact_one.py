"""What a single transaction tells its entities: the records of our worker, without laying out columns for one."""

from struct import Struct

from app.adapters.serde.fact_codec import VERSION
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.features.activity import TRANSACTION
from app.features.entities import ENTITIES

_FACT = Struct("<4Biqq8sqq")
"""As entity_facts.FACT."""


def entity_keys(transaction: Transaction) -> list[bytes]:
    """Of the entities that it names."""
    named = ((entity, getattr(transaction, entity.field)) for entity in ENTITIES)
    return [entity.key(name).encode() for entity, name in named if name is not None]


def fact(transaction: Transaction, partition: int, offset: int) -> bytes:
    """The same for all of its entities. One source log: no topic ids."""
    digest = digest64(transaction.transaction_id)
    return _FACT.pack(VERSION, TRANSACTION, 0, 0, partition, transaction.event_time, 0, digest, 0, offset)
