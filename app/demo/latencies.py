"""Latencies of decisions in whole milliseconds, in bounded memory."""

from collections import Counter
from itertools import accumulate

LONGEST_MS = 60_000
REMEMBERED = 1 << 16
"""Number of events whose time of sending is kept: two minutes at 500 per second."""


class Latencies:
    """Counts latencies from the times at which events are sent and their decisions arrive, by event number."""

    def __init__(self) -> None:
        self._sent: list[tuple[int, int]] = [(-1, 0)] * REMEMBERED
        self._counts: Counter[int] = Counter()

    def sent(self, number: int, now_ms: int) -> None:
        self._sent[number % REMEMBERED] = (number, now_ms)

    def arrived(self, number: int, now_ms: int) -> None:
        """Count the latency of an event, unless its time of sending is unknown or no longer kept."""
        remembered, sent_ms = self._sent[number % REMEMBERED]
        if remembered == number:
            self._counts[min(max(now_ms - sent_ms, 0), LONGEST_MS)] += 1

    def quantile_ms(self, share: float) -> int | None:
        """Return the latency that ``share`` of the events did not exceed; None before the first event.

        >>> latencies = Latencies()
        >>> for number, took_ms in enumerate([3, 5, 4, 100]):
        ...     latencies.sent(number, 1_000)
        ...     latencies.arrived(number, 1_000 + took_ms)
        >>> latencies.quantile_ms(0.5), latencies.quantile_ms(0.99)
        (4, 100)
        """
        ordered = sorted(self._counts)
        totals = accumulate(self._counts[ms] for ms in ordered)
        wanted = share * self._counts.total()
        return next((ms for ms, total in zip(ordered, totals, strict=True) if total >= wanted), None)
