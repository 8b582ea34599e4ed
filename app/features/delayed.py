"""What is known about the delayed entities of transactions: a row of their features for each, and how far to trust it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.transaction import Transaction
from app.features.activity import observe, queries
from app.features.entities import ENTITIES, DelayedEntity, columns
from app.features.window import NEVER_MS

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]


class Delayed(NamedTuple):
    """About some transactions, in their order."""

    features: Doubles
    """Shape (transactions, columns of all entities), in the catalog's order."""
    first_seen_ms: Integers
    """Shape (transactions, entities)."""
    evicted_ms: Integers
    absent: NDArray[np.bool_]
    """Shape (transactions,): the activities could not be read, all columns are NaN."""


def absent(transactions: Sequence[Transaction], entities: Sequence[DelayedEntity] = ENTITIES) -> Delayed:
    """Nothing could be read."""
    count, never = len(transactions), np.full((len(transactions), len(entities)), NEVER_MS)
    width = sum(entity.width for entity in entities)
    return Delayed(np.full((count, width), np.nan), never, never, np.ones(count, np.bool_))


def keys(
    transactions: Iterable[Transaction], entities: Sequence[DelayedEntity] = ENTITIES
) -> dict[str, None]:
    """Each entity that the transactions touch, once."""
    return {
        entity.key(value): None
        for transaction in transactions
        for entity in entities
        if (value := getattr(transaction, entity.field)) is not None
    }


def told(
    transactions: Sequence[Transaction],
    activities: Mapping[str, bytes],
    entities: Sequence[DelayedEntity] = ENTITIES,
) -> Delayed:
    """What the activities say about each transaction at its own time; a key that is not among them was never seen.

    Raises StateCorrupt when one of them is no activity.
    """
    times_ms = np.array([transaction.event_time for transaction in transactions], np.int64)
    parts, unread = [], np.zeros(len(transactions), np.bool_)
    for entity in entities:
        values = [getattr(transaction, entity.field) for transaction in transactions]
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        states = [b"" if value is None else activities.get(entity.key(value), b"") for value in places]
        wanted = np.array([places[value] for value in values], np.int64)
        observed = observe(states, queries(wanted, times_ms))
        features = columns(entity, observed.known)
        features[[value is None for value in values]] = np.nan
        parts.append(Delayed(features, observed.first_seen_ms, observed.evicted_ms, unread))
    return Delayed(
        np.column_stack([part.features for part in parts]),
        np.column_stack([part.first_seen_ms for part in parts]),
        np.column_stack([part.evicted_ms for part in parts]),
        unread,
    )
