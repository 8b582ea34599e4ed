"""Facts as records of the entities' topic: one for each entity that a transaction or a label names."""

from collections.abc import Sequence

from app.adapters.kafka_sender import OutRecord
from app.adapters.partitioner import partitions_of
from app.domain.label import Label
from app.domain.transaction import Transaction
from app.features.entities import ENTITIES


def entity_records(
    named: Sequence[Transaction] | Sequence[Label], facts: Sequence[bytes], partitions: int
) -> dict[int, list[OutRecord]]:
    """By partition; of each entity in the order of ``named``. ``facts`` are their encoded facts."""
    keys, values = [], []
    for entity in ENTITIES:
        for whole, fact in zip(named, facts, strict=True):
            name = getattr(whole, entity.field, None)
            if name is not None:
                keys.append(entity.key(name).encode())
                values.append(fact)
    records: dict[int, list[OutRecord]] = {}
    for key, value, partition in zip(keys, values, partitions_of(keys, partitions).tolist(), strict=True):
        records.setdefault(partition, []).append(OutRecord(key, value))
    return records
