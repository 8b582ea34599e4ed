"""Computes the features of this release (app/features/catalog.py)."""

from collections.abc import Sequence

import numpy as np

from app.computation.feature_set import SHIPPED
from app.computation.interface import Prepared, Rows
from app.domain.transaction import Transaction
from app.features.columns import compile_fold, events
from app.features.entities import ENTITIES
from app.features.fold import Doubles, Events, Folded, Integers, fold
from app.features.window import LONGEST_MS


class ReleaseComputation:
    """Computes the features of this release (catalog.py)."""

    features = SHIPPED
    entities = ENTITIES
    longest_ms = LONGEST_MS

    def compile(self) -> None:
        compile_fold()

    def prepare(
        self, transactions: Sequence[Transaction], customer: Sequence[int], offsets: Sequence[int]
    ) -> Prepared:
        return prepared(events(transactions, customer, offsets))

    def rows(self, folded: Folded, applied: Integers, delayed: Doubles) -> Rows:
        whole = len(applied) == len(folded.features)
        return np.hstack([folded.features if whole else folded.features[applied], delayed])


def prepared(columns: Events) -> Prepared:
    """Return columns of this release's fold with the fold itself."""
    return Prepared(
        columns.transaction, lambda profiles, bounds, topic_id: fold(profiles, columns, bounds, topic_id)
    )


RELEASE = ReleaseComputation()
