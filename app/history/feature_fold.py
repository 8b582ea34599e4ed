"""Folds the batches of a history into profiles in memory: with the features of this release, or of a catalog."""

from collections.abc import Callable

import numpy as np

from app.adapters.tabular.batches import TransactionBatch
from app.computation.catalog import CatalogComputation
from app.computation.interface import Computation, Prepared
from app.computation.release import RELEASE, prepared
from app.domain.identifiers import digest64
from app.features.columns import digests, terminal_digest
from app.features.fold import Events, Folded, Integers
from app.features.window import Bounds
from app.history.catalog_columns import batch_columns
from app.profiles.inputs import Arrivals

ReadBatch = Callable[[TransactionBatch], Prepared]
"""Returns a batch as columns; the customers are numbered by ``batch.customer_id``."""


class FeatureFold:
    """Folds batches in order. Keeps the profiles of all customers: 0.2 kB each, and 24 bytes or so for each kept transaction."""

    def __init__(self, computation: Computation, prepare: ReadBatch, bounds: Bounds) -> None:
        self.computation = computation
        self.prepare = prepare
        self._bounds = bounds
        self._by_customer: dict[str, bytes] = {}

    @property
    def customers(self) -> int:
        """Number of customers so far."""
        return len(self._by_customer)

    def fold(self, batch: TransactionBatch, columns: Prepared) -> Folded:
        """Fold a batch, of which ``prepare`` has made the columns."""
        customers = batch.customer_id.texts
        before = [self._by_customer.get(customer, b"") for customer in customers]
        folded = columns.fold(before, self._bounds, 0)
        self._by_customer.update(zip(customers, folded.profiles, strict=True))
        return folded


def release_fold(bounds: Bounds) -> FeatureFold:
    """Return the fold of the features of this release."""
    return FeatureFold(RELEASE, lambda batch: prepared(_events(batch)), bounds)


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


def catalog_fold(computation: CatalogComputation, bounds: Bounds) -> FeatureFold:
    """Return the fold of the features of a catalog."""

    def prepare(batch: TransactionBatch) -> Prepared:
        arrivals = Arrivals(
            batch.customer_id.codes.astype(np.int64),
            batch.event_time,
            transaction_digests(batch),
            offsets(batch),
        )
        return computation.prepared(batch_columns(batch, computation.catalog, computation.needed), arrivals)

    return FeatureFold(computation, prepare, bounds)
