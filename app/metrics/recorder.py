"""How the code records metrics, without knowing who publishes them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.metrics.metric import CounterName, GaugeName, HistogramName, InfoName


class Metrics(Protocol):
    """Records the metrics of a process. Cheap enough for a few calls per chunk; never raises if no one reads them."""

    def count(self, name: CounterName, amount: int = 1, /, **labels: str) -> None:
        """Add ``amount`` >= 0."""

    def gauge(self, name: GaugeName, value: float, /, **labels: str) -> None:
        """Set the gauge to ``value``."""

    def remove(self, name: GaugeName, /, **labels: str) -> None:
        """Stop publishing the gauge, which another worker publishes from now on. No effect if it was never set."""

    def observe(self, name: HistogramName, value: float, /, **labels: str) -> None:
        """Record one value."""

    def observe_all(
        self, name: HistogramName, values: Sequence[float] | NDArray[np.float64], /, **labels: str
    ) -> None:
        """Record many values at once; the values of a chunk cost as much as a few single ones."""

    def inform(self, name: InfoName, /, **labels: str) -> None:
        """Replace the labels of the info metric."""
