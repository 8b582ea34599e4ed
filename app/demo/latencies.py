"""How long decisions took, in whole milliseconds, however many there are in bounded memory."""

from collections import Counter
from itertools import accumulate

LONGEST_MS = 60_000
REMEMBERED = 1 << 16
"""Events whose time of sending is kept: two minutes at 500 a second."""


class Latencies:
    """OnSend of each sending and of each arrival by the event's number."""

    def __init__(self) -> None:
        self._sent: list[tuple[int, int]] = [(-1, 0)] * REMEMBERED
        self._counts: Counter[int] = Counter()

    def sent(self, number: int, now_ms: int) -> None:
        self._sent[number % REMEMBERED] = (number, now_ms)

    def arrived(self, number: int, now_ms: int) -> None:
        """An event that was never announced, or too long ago, is not measured."""
        remembered, sent_ms = self._sent[number % REMEMBERED]
        if remembered == number:
            self._counts[min(max(now_ms - sent_ms, 0), LONGEST_MS)] += 1

    def quantile_ms(self, share: float) -> int | None:
        """The latency that ``share`` of the events did not pass; None before the first.

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
