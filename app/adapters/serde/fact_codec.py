"""Codec of the facts topic: records of fixed width, packed and unpacked a chunk at a time.

The key is the entity, ``terminal:ID``. The value is little-endian: version, kind, is_fraud and a spare byte; the source
partition (32 bits); then 64 bits each: event time and report time in ms, digest of the transaction, id of the source topic,
offset in it. A transaction has no report time, a label no source.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.identifiers import digest64
from app.domain.label import Label
from app.features.activity import LABEL, TRANSACTION, Facts
from app.features.columns import digests
from app.features.facts import Integers

VERSION = 1
FACT = np.dtype(
    [
        ("version", "u1"),
        ("kind", "u1"),
        ("is_fraud", "u1"),
        ("spare", "u1"),
        ("source_partition", "<i4"),
        ("time_ms", "<i8"),
        ("reported_ms", "<i8"),
        ("transaction", "<i8"),
        ("source_topic_id", "<i8"),
        ("source_offset", "<i8"),
    ]
)
_MOST_KEY_BYTES = 512
"""More than the name of an entity and 64 characters take."""
_HEADS = {bytes([VERSION, TRANSACTION]), bytes([VERSION, LABEL])}


class Sources(NamedTuple):
    """Where transactions were read: the topic's id (low 64 bits), and the partition and offset of each."""

    topic_id: int
    partitions: Sequence[int]
    offsets: Sequence[int]


def transaction_facts(times_ms: Integers, transactions: Integers, sources: Sources) -> list[bytes]:
    """One fact for each transaction, given event times in ms and digests; all entities of a transaction share it."""
    facts = np.zeros(len(transactions), FACT)
    facts["version"], facts["kind"] = VERSION, TRANSACTION
    facts["time_ms"], facts["transaction"] = times_ms, transactions
    facts["source_topic_id"] = np.uint64(sources.topic_id).astype(np.int64)
    facts["source_partition"], facts["source_offset"] = sources.partitions, sources.offsets
    return _split(facts)


def label_facts(labels: Sequence[Label]) -> list[bytes]:
    """One fact for each label."""
    facts = np.zeros(len(labels), FACT)
    facts["version"], facts["kind"] = VERSION, LABEL
    facts["time_ms"] = [label.event_time for label in labels]
    facts["reported_ms"] = [label.reported_at for label in labels]
    facts["is_fraud"] = [label.is_fraud for label in labels]
    facts["transaction"] = digests(digest64(label.transaction_id) for label in labels)
    return _split(facts)


def is_fact(key: bytes | None, value: bytes | None) -> bool:
    """Whether a record of the topic is a fact of this version. Its times are not checked."""
    if not key or len(key) > _MOST_KEY_BYTES:
        return False
    return value is not None and len(value) == FACT.itemsize and value[:2] in _HEADS


def fact_rows(values: Sequence[bytes]) -> NDArray[Any]:
    """The facts in ``values`` as an array of FACT."""
    return np.frombuffer(b"".join(values), FACT)


def read_facts(values: Sequence[bytes], entity: Integers, offsets: Sequence[int]) -> Facts:
    """Facts as columns; ``entity`` has the index of each fact's activity, ``offsets`` the offset of each record."""
    facts: Any = fact_rows(values)
    return Facts(
        entity=entity,
        kind=facts["kind"].astype(np.int64),
        time_ms=facts["time_ms"],
        transaction=facts["transaction"],
        reported_ms=facts["reported_ms"],
        is_fraud=facts["is_fraud"].astype(np.bool_),
        source_topic_id=facts["source_topic_id"],
        source_partition=facts["source_partition"].astype(np.int64),
        source_offset=facts["source_offset"],
        offset=np.array(offsets, np.int64),
    )


def _split(facts: NDArray[Any]) -> list[bytes]:
    data, width = facts.tobytes(), FACT.itemsize
    return [data[start : start + width] for start in range(0, len(data), width)]
