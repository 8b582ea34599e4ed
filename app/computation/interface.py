"""How the features of a deployment are computed: one interface for those of this release and those of a catalog."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from app.computation.feature_set import FeatureSet
from app.domain.transaction import Transaction
from app.features.entities import DelayedEntity
from app.features.fold import Doubles, Folded, Integers
from app.features.window import Bounds

Rows = Doubles
"""Shape (transactions, features), in the order of the features, NaN for missing."""


class Prepared(NamedTuple):
    """Transactions as the columns of a fold."""

    transaction: Integers
    """Digests of the transaction ids."""
    fold: Callable[[Sequence[bytes], Bounds, int], Folded]
    """Fold them into the profiles of their customers; the last argument is the id of the source topic. Raises StateCorrupt."""


class Computation(Protocol):
    """Computes the features of transactions from the profiles of customers and the features of other entities."""

    @property
    def features(self) -> FeatureSet:
        """The columns of a row."""
        ...

    @property
    def entities(self) -> Sequence[DelayedEntity]:
        """The delayed entities whose features ``rows`` takes, in this order."""
        ...

    @property
    def longest_ms(self) -> int:
        """Width of the widest window of a profile."""
        ...

    def compile(self) -> None:
        """Load the machine code of the folds, or compile it: the first chunk must not wait."""
        ...

    def prepare(
        self, transactions: Sequence[Transaction], customer: Sequence[int], offsets: Sequence[int]
    ) -> Prepared:
        """Return the transactions as columns; ``customer`` has the index of each one's profile, ``offsets`` its source offset."""
        ...

    def rows(self, folded: Folded, applied: Integers, delayed: Doubles) -> Rows:
        """Return the input of a model for the ``applied`` transactions; ``delayed`` has a row of entity features for each."""
        ...
