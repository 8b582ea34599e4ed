"""Makes the records of the entities' topic: one fact for each entity that a transaction or a label names."""

from collections.abc import Sequence

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import OutRecord
from app.features.delayed_features import Touched

FactsByPartition = dict[int, list[OutRecord]]
"""Fact records by partition of the entities' topic."""


def entity_records(
    about: Touched, facts: Sequence[bytes], partitions: int, parts: Sequence[slice]
) -> list[FactsByPartition]:
    """Return the fact records of each of ``parts`` of the transactions or labels; per entity in the order of ``about``.

    ``facts`` holds one encoded fact for each transaction or label.
    """
    found: list[FactsByPartition] = [{} for _ in parts]
    for kind in about.kinds:
        keys = [key.encode() for key in kind.keys]
        key_partitions, which = partitions_of(keys, partitions).tolist(), kind.which.tolist()
        for part, records in zip(parts, found, strict=True):
            for entity, fact in zip(which[part], facts[part], strict=True):
                if entity < len(keys):
                    records.setdefault(key_partitions[entity], []).append(OutRecord(keys[entity], fact))
    return found
