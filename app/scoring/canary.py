"""A model that decides for a share of the customers, until it leaves its bounds."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from app.domain.control import CanaryBounds
from app.domain.identifiers import digest64
from app.scoring.isolation import Clock, attempt
from app.scoring.model import Model, Rows, Scores

_LATENCY_CHUNKS = 20
"""Whose mean is held against the bound: a single slow one may be the machine's."""


def in_share(customer_id: str, share: float) -> bool:
    """Whether a canary decides for the customer: the same on every worker, for ever, and for every larger share.

    >>> [in_share("c1", share) for share in (0.0, 1.0)]
    [False, True]
    """
    return int.from_bytes(digest64(customer_id)) < share * 2**64


class Canary:
    """``on_stopped`` is told once why it may not decide any more."""

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
        """Why it does not decide any more; empty while it does."""
        self._bounds = bounds
        self._clock = clock
        self._on_stopped = on_stopped
        self._failures = 0
        self._seconds: list[float] = []
        self._window = [0, 0]  # transactions and alerts since the alert rate was last looked at

    def chosen(self, customer_ids: Iterable[str]) -> NDArray[np.intp]:
        """Indexes of those it decides for."""
        if self.stopped:
            return np.zeros(0, np.intp)
        return np.flatnonzero([in_share(customer_id, self.share) for customer_id in customer_ids])

    def score(self, rows: Rows) -> Scores | None:
        """What it decides by; None when the champion must decide these: it failed, or leaves its bounds with them."""
        found = attempt(self.model, rows, self._clock)
        self._watch_time(found.seconds)
        if found.scores is None:
            self._watch_failures(found.error)
            return None
        alerts = int(np.count_nonzero(found.scores >= self.model.thresholds.review))
        self._watch_alerts(len(rows), alerts)
        if self.stopped:
            return None
        self.decided += len(rows)
        self.alerts += alerts
        return found.scores

    def _watch_failures(self, error: str) -> None:
        self._failures += 1
        if self._failures > self._bounds.max_failures:
            self._stop(
                f"failed {self._failures} times, last with {error}; {self._bounds.max_failures} were allowed"
            )

    def _watch_time(self, seconds: float) -> None:
        self._seconds.append(seconds)
        if len(self._seconds) < _LATENCY_CHUNKS:
            return
        mean_ms = sum(self._seconds) / len(self._seconds) * 1000
        self._seconds.clear()
        if mean_ms > self._bounds.max_chunk_ms:
            self._stop(f"took {mean_ms:.3g} ms a chunk, allowed were {self._bounds.max_chunk_ms:g}")

    def _watch_alerts(self, transactions: int, alerts: int) -> None:
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
