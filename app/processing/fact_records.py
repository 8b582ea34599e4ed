"""Facts as records of the entities' topic: one for each entity that a transaction or a label names."""

from collections.abc import Sequence

from app.adapters.kafka.partitioner import partitions_of
from app.adapters.kafka.records import OutRecord
from app.features.delayed_features import Touched

Told = dict[int, list[OutRecord]]
"""By partition of the entities' topic."""


def entity_records(
    about: Touched, facts: Sequence[bytes], partitions: int, parts: Sequence[slice]
) -> list[Told]:
    """What each of ``parts`` of the transactions or labels tells; of each entity in the order of ``about``.

    ``facts`` are the encoded facts of what names the entities.
    """
    told: list[Told] = [{} for _ in parts]
    for kind in about.kinds:
        keys = [key.encode() for key in kind.keys]
        places, which = partitions_of(keys, partitions).tolist(), kind.which.tolist()
        for part, records in zip(parts, told, strict=True):
            for entity, fact in zip(which[part], facts[part], strict=True):
                if entity < len(keys):
                    records.setdefault(places[entity], []).append(OutRecord(keys[entity], fact))
    return told
