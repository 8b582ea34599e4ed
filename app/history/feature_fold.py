"""How the features of a history are computed: with the features of this release, or with those of a catalog."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from app.adapters.tabular.batches import TransactionBatch
from app.domain.identifiers import digest64
from app.features.columns import digests, terminal_digest
from app.features.entities import ENTITIES, DelayedEntity
from app.features.feature_set import SHIPPED, FeatureSet
from app.features.fold import Doubles, Events, Folded, Integers, Profiles
from app.features.window import Bounds
from app.scoring import scorer
from app.scoring.model import Rows


class Prepared(NamedTuple):
    """A batch whose columns are ready to be folded."""

    transaction: Integers
    """Digests of the transaction ids."""
    fold: Callable[[], Folded]
    """Fold the batch into the profiles. To be called once, in the order of the batches."""


class FeatureFold(Protocol):
    """Folds the batches of a history in order, and keeps the profiles of its customers in memory."""

    @property
    def features(self) -> FeatureSet:
        """The columns of the rows."""
        ...

    @property
    def entities(self) -> Sequence[DelayedEntity]:
        """The entities whose features ``rows`` takes, in this order."""
        ...

    @property
    def customers(self) -> int:
        """Number of customers so far."""
        ...

    def prepare(self, batch: TransactionBatch) -> Prepared:
        """Compute what needs no profile. May run ahead, in another thread."""
        ...

    def rows(self, folded: Folded, applied: Integers, delayed: Doubles) -> Rows:
        """The input of a model for the ``applied`` rows of a batch; ``delayed`` has the features of the entities."""
        ...


class ReleaseFold:
    """Computes the features of this release."""

    features = SHIPPED
    entities = ENTITIES

    def __init__(self, bounds: Bounds) -> None:
        self._profiles = Profiles(bounds)

    @property
    def customers(self) -> int:
        return len(self._profiles)

    def prepare(self, batch: TransactionBatch) -> Prepared:
        events = _events(batch)
        return Prepared(events.transaction, lambda: self._profiles.fold(batch.customer_id.texts, events))

    def rows(self, folded: Folded, applied: Integers, delayed: Doubles) -> Rows:
        return scorer.rows(folded, applied, delayed)


def _events(batch: TransactionBatch) -> Events:
    latitude, longitude = batch.places()
    terminals = digests(map(terminal_digest, batch.terminal_id.texts))
    return Events(
        customer=batch.customer_id.codes.astype(np.int64),
        time_ms=batch.event_time,
        amount_minor=batch.amount_minor,
        terminal=terminals[batch.terminal_id.codes],
        transaction=transaction_digests(batch),
        latitude=latitude,
        longitude=longitude,
        offset=offsets(batch),
    )


def transaction_digests(batch: TransactionBatch) -> Integers:
    """Digests of the transaction ids of a batch."""
    return digests(map(digest64, batch.transaction_id.to_pylist()))


def offsets(batch: TransactionBatch) -> Integers:
    """The numbers of the rows in order of processing, in place of offsets in a log."""
    return np.arange(batch.first_row, batch.first_row + len(batch))
