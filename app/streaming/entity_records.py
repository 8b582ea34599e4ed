"""Facts as records of the entities' topic: one for each entity that a transaction or a label names."""

from collections.abc import Sequence

from app.adapters.kafka_sender import OutRecord
from app.adapters.partitioner import partitions_of
from app.features.delayed import Touched


def entity_records(about: Touched, facts: Sequence[bytes], partitions: int) -> dict[int, list[OutRecord]]:
    """By partition; of each entity in the order of ``about``. ``facts`` are the encoded facts of what names them."""
    records: dict[int, list[OutRecord]] = {}
    for kind in about.kinds:
        keys = [key.encode() for key in kind.keys]
        places = partitions_of(keys, partitions).tolist()
        for which, fact in zip(kind.which.tolist(), facts, strict=True):
            if which < len(keys):
                records.setdefault(places[which], []).append(OutRecord(keys[which], fact))
    return records
