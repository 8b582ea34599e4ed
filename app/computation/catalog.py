"""Computes the features of a catalog: windows of the customer by profiles, those of delayed entities by their activities."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from app.catalog.definitions import Catalog, Feature
from app.computation.catalog_columns import needed_fields, transaction_columns
from app.computation.delayed_catalog import delayed_columns, delayed_entities
from app.computation.feature_set import FeatureSet
from app.computation.interface import Prepared, Rows
from app.domain.identifiers import digest64
from app.domain.transaction import Transaction
from app.errors import ConfigurationError
from app.expressions.tree import named
from app.expressions.vector.columns import Chunk
from app.features import catalog as release
from app.features.columns import compile_observe, digests
from app.features.fold import Doubles, Folded, Integers
from app.features.window import Bounds
from app.profiles.features import Features
from app.profiles.inputs import Arrivals
from app.profiles.plan import plan


class CatalogComputation:
    """Computes the features of one catalog: those of the profile in its order, then those of delayed entities. Raises ConfigurationError for what no profile can hold."""

    def __init__(self, catalog: Catalog, definitions: Mapping[str, str], shipped: Mapping[str, str]) -> None:
        """``definitions`` has the digest of each feature's definition, ``shipped`` those of the features of this release."""
        _require_derivable(catalog)
        self.catalog = catalog
        self._fold = Features(plan(_with_missing_amounts(catalog)))
        self.entities = delayed_entities(catalog)
        self.longest_ms = self._fold.plan.horizon_ms
        self.layout = f"{self._fold.plan.kept.digest & (2**64 - 1):016x}"
        self.needed = needed_fields(catalog)
        ordered = sorted(catalog.features, key=lambda feature: feature.delay_ms > 0)
        self.features = FeatureSet(
            tuple(map(_described, ordered)),
            definitions,
            tuple(entity.name for entity in self.entities),
            frozenset(name for name, digest in definitions.items() if shipped.get(name) == digest),
        )
        given = list(delayed_columns(self.entities))
        self._chosen: Integers = np.array(
            [given.index(one.name) for one in ordered if one.delay_ms], np.int64
        )

    def compile(self) -> None:
        """See Computation. The same machine code serves every catalog."""
        compile_observe()
        self.prepare([], [], []).fold([b""], Bounds(0, 1), 0)

    def prepare(
        self, transactions: Sequence[Transaction], customer: Sequence[int], offsets: Sequence[int]
    ) -> Prepared:
        """See Computation."""
        arrivals = Arrivals(
            np.array(customer, np.int64),
            np.array([transaction.event_time for transaction in transactions], np.int64),
            digests(digest64(transaction.transaction_id) for transaction in transactions),
            np.array(offsets, np.int64),
        )
        return self.prepared(transaction_columns(transactions, self.catalog, self.needed), arrivals)

    def prepared(self, chunk: Chunk, arrivals: Arrivals) -> Prepared:
        """Return columns of fields, in the order of the catalog, with their fold."""
        ready = self._fold.prepare(chunk, arrivals)
        return Prepared(
            arrivals.transaction,
            lambda profiles, bounds, topic_id: self._fold.fold(profiles, ready, bounds, topic_id),
        )

    def rows(self, folded: Folded, applied: Integers, delayed: Doubles) -> Rows:
        """See Computation."""
        return np.hstack([folded.features[applied], delayed[:, self._chosen]])


def _with_missing_amounts(catalog: Catalog) -> Catalog:
    """The amount of a transaction in another currency than the reference currency is missing: there are no rates yet."""
    fields = [
        msgspec.structs.replace(field, required=False) if field.name == "amount" else field
        for field in catalog.fields
    ]
    return msgspec.structs.replace(catalog, fields=tuple(fields))


def _require_derivable(catalog: Catalog) -> None:
    """Derived features are computed with the profile, before the states of other entities are known."""
    delayed = {feature.name for feature in catalog.features if feature.delay_ms}
    for feature in catalog.features:
        if feature.derive is not None and (found := delayed & named(feature.derive)):
            raise ConfigurationError(
                f"the feature {feature.name} is derived from {min(found)}, which is of a delayed entity. Derived features "
                "take fields and features of the customer."
            )


def _described(feature: Feature) -> release.Feature:
    return release.Feature(
        feature.name,
        feature.entity,
        feature.unit,
        feature.meaning,
        feature.missing,
        feature.window_ms,
        feature.delay_ms,
    )
