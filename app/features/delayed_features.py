"""Computes the features of the delayed entities of transactions from the activities of these entities."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.label import Label
from app.domain.transaction import Transaction
from app.features.activity import observe_each, queries
from app.features.catalog import DELAYED, require_width
from app.features.entities import ENTITIES, DelayedEntity, columns
from app.features.window import NEVER_MS

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]

WIDTH = sum(entity.width for entity in ENTITIES)
"""Columns of all entities."""
require_width(__name__, WIDTH, DELAYED)


class Kind(NamedTuple):
    """The entities of one kind that some transactions name."""

    entity: DelayedEntity
    keys: list[str]
    """Keys of the entities, without repeats."""
    which: Integers
    """Shape (transactions,): index of the key of each transaction; ``len(keys)`` if it names no entity."""


class Touched(NamedTuple):
    """The entities that some transactions, or labels, name."""

    times_ms: Integers
    """Shape (transactions,): event times."""
    kinds: list[Kind]

    @property
    def keys(self) -> list[str]:
        """The keys of all kinds, kind by kind."""
        return [key for kind in self.kinds for key in kind.keys]


class Delayed(NamedTuple):
    """Features of the delayed entities of some transactions, in their order, and how far the activities reach back."""

    features: Doubles
    """Shape (transactions, WIDTH), in the catalog's order."""
    first_seen_ms: Integers
    """Shape (transactions, entities), as in Observed."""
    evicted_ms: Integers
    """Shape (transactions, entities), as in Observed."""
    absent: NDArray[np.bool_]
    """Shape (transactions,): True if an activity could not be read; all features are then NaN."""
    corrupt: tuple[str, ...] = ()
    """Keys of the entities whose value is no activity."""


def touched(
    named: Sequence[Transaction] | Sequence[Label], entities: Sequence[DelayedEntity] = ENTITIES
) -> Touched:
    """Return the entities that transactions or labels name."""
    times_ms = np.array([each.event_time for each in named], np.int64)
    return Touched(times_ms, [_kind(entity, named) for entity in entities])


def _kind(entity: DelayedEntity, named: Sequence[Transaction] | Sequence[Label]) -> Kind:
    values = [getattr(each, entity.field, None) for each in named]
    names = [value for value in dict.fromkeys(values) if value is not None]
    places: dict[str | None, int] = {None: len(names)}
    places.update(zip(names, range(len(names)), strict=True))
    which = np.array([places[value] for value in values], np.int64)
    return Kind(entity, [entity.key(name) for name in names], which)


def absent(about: Touched) -> Delayed:
    """Return the features for activities that could not be read: all NaN."""
    count, never = len(about.times_ms), np.full((len(about.times_ms), len(about.kinds)), NEVER_MS)
    width = sum(kind.entity.width for kind in about.kinds)
    return Delayed(np.full((count, width), np.nan), never, never, np.ones(count, np.bool_))


def compute_delayed(about: Touched, activities: Mapping[str, bytes]) -> Delayed:
    """Compute the features of each transaction at its own event time.

    ``activities`` are encoded activities by key; b"" is that of an entity that was never seen. An entity that is missing, or
    whose value is not an activity, could not be read, and its transactions are absent.
    """
    if not activities:
        return absent(about)
    parts = [_compute_kind(kind, about.times_ms, activities) for kind in about.kinds]
    found = Delayed(
        np.hstack([part.features for part in parts]),
        np.column_stack([part.first_seen_ms for part in parts]),
        np.column_stack([part.evicted_ms for part in parts]),
        np.logical_or.reduce([part.absent for part in parts]),
        tuple(key for part in parts for key in part.corrupt),
    )
    found.features[found.absent] = np.nan
    found.first_seen_ms[found.absent] = found.evicted_ms[found.absent] = NEVER_MS
    return found


def _compute_kind(kind: Kind, times_ms: Integers, activities: Mapping[str, bytes]) -> Delayed:
    """Compute the features of one kind of entity."""
    states = [*(activities.get(key, b"") for key in kind.keys), b""]
    observed = observe_each(states, queries(kind.which, times_ms))
    features = columns(kind.entity, observed.counts)
    features[kind.which == len(kind.keys)] = np.nan
    unread = observed.corrupt | np.array([*(key not in activities for key in kind.keys), False])
    corrupt = tuple(kind.keys[index] for index in np.flatnonzero(observed.corrupt))
    return Delayed(features, observed.first_seen_ms, observed.evicted_ms, unread[kind.which], corrupt)
