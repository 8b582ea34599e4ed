"""The canary: a model that decides for a share of the customers, until it leaves its bounds."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from app.domain.control import CanaryBounds
from app.domain.identifiers import digest64
from app.scoring.isolation import Clock, attempt
from app.scoring.model import Model, Rows, Scores

_LATENCY_CHUNKS = 20
"""Chunks over which the mean time is compared with its bound: a single slow chunk may be due to the machine."""


def in_share(customer_id: str, share: float) -> bool:
    """Whether a canary decides for the customer: the same on every worker, at every time, and for every larger share.

    >>> [in_share("c1", share) for share in (0.0, 1.0)]
    [False, True]
    """
    return int.from_bytes(digest64(customer_id)) < share * 2**64


class Canary:
    """Scores chunks and checks the bounds. ``on_stopped`` is called once, with the reason, when a bound is left.

    The champion decides the transactions of the chunk with which a bound is left.
    """

    def __init__(
        self,
        model: Model,
        share: float,
        bounds: CanaryBounds,
        clock: Clock,
        on_stopped: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.model = model
        self.share = share
        self.decided = 0
        self.alerts = 0
        self.stopped = ""
        """Why it was stopped; empty while it decides."""
        self._bounds = bounds
        self._clock = clock
        self._on_stopped = on_stopped
        self._failures = 0
        self._seconds: list[float] = []
        self._window = [0, 0]  # transactions and alerts since the alert rate was last checked

    def chosen(self, customer_ids: Iterable[str]) -> NDArray[np.intp]:
        """Return the indexes of the customers for which the canary decides."""
        if self.stopped:
            return np.zeros(0, np.intp)
        return np.flatnonzero([in_share(customer_id, self.share) for customer_id in customer_ids])

    def score(self, rows: Rows) -> Scores | None:
        """Return the scores; None if the champion must decide: the model failed, or leaves its bounds with these rows."""
        found = attempt(self.model, rows, self._clock)
        self._check_time(found.seconds)
        if found.scores is None:
            self._check_failures(found.error)
            return None
        alerts = int(np.count_nonzero(found.scores >= self.model.thresholds.review))
        self._check_alerts(len(rows), alerts)
        if self.stopped:
            return None
        self.decided += len(rows)
        self.alerts += alerts
        return found.scores

    def _check_failures(self, error: str) -> None:
        self._failures += 1
        if self._failures > self._bounds.max_failures:
            self._stop(
                f"failed {self._failures} times, last with {error}; {self._bounds.max_failures} were allowed"
            )

    def _check_time(self, seconds: float) -> None:
        self._seconds.append(seconds)
        if len(self._seconds) < _LATENCY_CHUNKS:
            return
        mean_ms = sum(self._seconds) / len(self._seconds) * 1000
        self._seconds.clear()
        if mean_ms > self._bounds.max_chunk_ms:
            self._stop(f"took {mean_ms:.3g} ms a chunk, allowed were {self._bounds.max_chunk_ms:g}")

    def _check_alerts(self, transactions: int, alerts: int) -> None:
        self._window[0] += transactions
        self._window[1] += alerts
        if self._window[0] < self._bounds.window:
            return
        rate = self._window[1] / self._window[0]
        self._window = [0, 0]
        if not self._bounds.min_alert_rate <= rate <= self._bounds.max_alert_rate:
            self._stop(
                f"alerted on {rate:.3%} of its transactions, allowed were "
                f"{self._bounds.min_alert_rate:.3%} to {self._bounds.max_alert_rate:.3%}"
            )

    def _stop(self, reason: str) -> None:
        if not self.stopped:
            self.stopped = reason
            self._on_stopped(reason)
