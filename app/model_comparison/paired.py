"""Scores of two models for the same transactions, with labels."""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.domain.decision import Thresholds
from app.errors import InvalidFile
from app.features.window import DAY_MS
from app.scoring.model import Scores


class Paired(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Columns of equal length, one entry per transaction."""

    customers: NDArray[np.int64]
    """Customers as numbers from 0."""
    event_times: NDArray[np.int64]
    frauds: NDArray[np.bool_] | None
    """None without labels."""
    champion: Scores
    challenger: Scores

    def __len__(self) -> int:
        return len(self.champion)

    @property
    def labels(self) -> NDArray[np.bool_]:
        """Return ``frauds``. Raises InvalidFile without labels."""
        if self.frauds is None:
            raise InvalidFile("There are no labels, so frauds cannot be compared.")
        return self.frauds

    @property
    def days(self) -> NDArray[np.int64]:
        """Days since the epoch, UTC."""
        return self.event_times // DAY_MS

    def where(self, chosen: NDArray[np.bool_]) -> "Paired":
        return Paired(
            customers=self.customers[chosen],
            event_times=self.event_times[chosen],
            frauds=None if self.frauds is None else self.frauds[chosen],
            champion=self.champion[chosen],
            challenger=self.challenger[chosen],
        )


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of each model by its own thresholds."""

    champion: int
    challenger: int
    both: int
    agreement: float
    """Share of the transactions with the same outcome."""


def alerts(paired: Paired, champion: Thresholds, challenger: Thresholds) -> Alerts:
    """Count the alerts of both models; there must be at least one transaction."""
    one, other = _severity(paired.champion, champion), _severity(paired.challenger, challenger)
    return Alerts(
        champion=int(np.count_nonzero(one)),
        challenger=int(np.count_nonzero(other)),
        both=int(np.count_nonzero((one > 0) & (other > 0))),
        agreement=float(np.mean(one == other)),
    )


def numbered(names: list[str]) -> NDArray[np.int64]:
    """Return names as numbers, in the order of their first occurrence."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def labelled(transaction_ids: list[str], labels: Mapping[str, bool]) -> NDArray[np.bool_]:
    """Return the labels of transactions; one without a label counts as legitimate."""
    return np.array([labels.get(name, False) for name in transaction_ids], bool)


def _severity(scores: Scores, thresholds: Thresholds) -> NDArray[np.int8]:
    return (scores >= thresholds.review).astype(np.int8) + (scores >= thresholds.decline)
