"""What is told to an activity, and asked of it, as columns."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

QUERY, TRANSACTION, LABEL = 1, 2, 4
"""Kinds of facts. QUERY | TRANSACTION asks first and is counted then."""

Integers = NDArray[np.int64]


class Facts(NamedTuple):
    """Facts in order of arrival, as columns of equal length. A QUERY needs an entity and a time only."""

    entity: Integers
    """Index of the activity."""
    kind: Integers
    time_ms: Integers
    """Event time: of the transaction, of the labelled one, or of the one that asks. Its hour fits 32 bits."""
    transaction: Integers
    """Digest."""
    reported_ms: Integers
    """Of a label."""
    is_fraud: NDArray[np.bool_]
    source_topic_id: Integers
    """Of a transaction: the log it came from, as a number of 64 bits."""
    source_partition: Integers
    source_offset: Integers
    """Ascending for each entity and source partition: what is not beyond an earlier one was told before."""
    offset: Integers
    """In the log of facts; ascending for each entity."""


def queries(entity: Integers, time_ms: Integers) -> Facts:
    """Ask for each of the entities what is known at a time."""
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
