"""The columns that the conditions of a policy take: fields of transactions, features of their rows, scores."""

from collections.abc import Sequence

import numpy as np

from app.catalog.definitions import Catalog
from app.computation.catalog_columns import absent, transaction_columns
from app.computation.interface import Rows
from app.domain.transaction import Transaction
from app.expressions.names import Kind, Names
from app.expressions.vector.columns import Chunk, ChunkColumn, Truth, integers, numbers
from app.features.fold import Doubles


class PolicyColumns:
    """Makes chunks for a policy of one catalog; columns that it does not need are empty."""

    def __init__(
        self, catalog: Catalog, feature_names: Sequence[str], names: Names, needed: frozenset[str]
    ) -> None:
        """``feature_names`` are those of the rows, in their order; ``names`` are those of the policy (policy_names)."""
        self._catalog = catalog
        self._needed = needed
        indexes = {name: index for index, name in enumerate(feature_names)}
        self._features = [
            (column.kind, indexes[column.name] if column.name in needed else None)
            for column in names.columns[len(catalog.fields) : -1]
        ]

    def chunk(self, transactions: Sequence[Transaction], rows: Rows, scores: Doubles) -> Chunk:
        """The columns of scored transactions, in the order of the names."""
        fields = transaction_columns(transactions, self._catalog, self._needed)
        features = [
            absent(kind, len(rows)) if index is None else _feature(kind, rows[:, index])
            for kind, index in self._features
        ]
        return Chunk([*fields.columns, *features, numbers(scores)], len(rows))


def _feature(kind: Kind, values: Doubles) -> ChunkColumn:
    if kind is Kind.MONEY:  # that of a mean is rounded half to even
        present = np.isfinite(values) & (np.abs(values) < 2.0**63)
        return integers(np.rint(np.where(present, values, 0.0)).astype(np.int64), present)
    if kind is Kind.BOOLEAN:
        return Truth(values == 1.0, values == 0.0)
    return numbers(np.ascontiguousarray(values))
