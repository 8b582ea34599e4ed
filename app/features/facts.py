"""Facts as columns: transactions and labels that change an activity, and queries that read it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

QUERY, TRANSACTION, LABEL = 1, 2, 4
"""Kinds of facts, as bits. QUERY | TRANSACTION is a transaction whose counts are read before it is counted."""

Integers = NDArray[np.int64]


class Facts(NamedTuple):
    """Facts in order of arrival, as columns of equal length. A QUERY only needs ``entity`` and ``time_ms``."""

    entity: Integers
    """Index of the activity."""
    kind: Integers
    time_ms: Integers
    """Event time of the transaction, of the labelled transaction, or of the query. Its hour must fit 32 bits."""
    transaction: Integers
    """Digest of the transaction id (``identifiers.digest64``)."""
    reported_ms: Integers
    """Time of the report of a label."""
    is_fraud: NDArray[np.bool_]
    source_topic_id: Integers
    """Of a transaction: low 64 bits of the id of the topic that it was read from."""
    source_partition: Integers
    source_offset: Integers
    """Ascends for each entity and source partition; an offset that is not above the previous one marks a repeat."""
    offset: Integers
    """Offset in the log of facts; ascends for each entity."""


def queries(entity: Integers, time_ms: Integers) -> Facts:
    """Return a query for each pair of entity index and time."""
    nothing = np.zeros(len(entity), np.int64)
    return Facts(
        entity=entity,
        kind=np.full(len(entity), QUERY),
        time_ms=time_ms,
        transaction=nothing,
        reported_ms=nothing,
        is_fraud=nothing.astype(np.bool_),
        source_topic_id=nothing,
        source_partition=nothing,
        source_offset=nothing,
        offset=nothing,
    )
