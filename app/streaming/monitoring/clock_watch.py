"""Ends a worker whose clock differs from that of the brokers: its records would carry wrong times, or be refused.

A worker of any role compares the clocks when it starts (`broker_clock`). Brokers also answer each write to a changelog with
their time, at the latest when a worker claims its partitions, before its first decision. Between two answers the monotonic
clock shows a jump of this machine's clock.
"""

from collections.abc import Callable

from app.domain.clock import skew_seconds
from app.domain.words import duration
from app.errors import ClockWrong


class ClockWatch:
    """Compares this machine's clock with the brokers'. ``wall`` and ``monotonic`` return seconds."""

    def __init__(
        self, limit_seconds: float, wall: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._limit_seconds = limit_seconds
        self._wall = wall
        self._monotonic = monotonic
        self._skew_seconds = 0.0
        self._seen = wall() - monotonic()

    def observe(self, sent_at: float, broker_ms: int) -> None:
        """Take over the time of a broker's answer to a request sent at ``sent_at``. Raises ClockWrong."""
        now = self._wall()
        self._skew_seconds = skew_seconds(sent_at, now, broker_ms / 1000)
        self._seen = now - self._monotonic()
        self.check()

    def check(self) -> None:
        """Raise ClockWrong when this machine's clock differs from the brokers' by more than the limit."""
        jump = self._wall() - self._monotonic() - self._seen
        skew = self._skew_seconds + jump
        if abs(skew) > self._limit_seconds:
            raise ClockWrong(
                f"this machine's clock is {duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the brokers' "
                f"(FRAUDSTREAM_WORKER_MAX_CLOCK_SKEW_SECONDS={self._limit_seconds:g}). Synchronize workers and brokers with "
                "the same time servers, then start the worker again."
            )
