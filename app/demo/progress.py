"""How far the history of the demo is: sent, and decided."""

import msgspec

STEADY_SECONDS = 2.0
"""Decisions arrive in chunks, so a rate over less time says nothing."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the history at one moment."""

    sent: float
    """By simulated time, since the number of events is known only at the end."""
    decided: float
    expected: int
    """Events of the whole history: estimated from the share that is sent, exact when all are."""
    seconds_left: float | None
    """None before decisions have arrived for some seconds."""


class HistoryProgress:
    """Follows the history."""

    def __init__(self) -> None:
        self.sent_share = 0.0
        self._first: tuple[float, int] | None = None

    def at(self, sent: int, decided: int, now_seconds: float) -> Progress:
        """Return the progress after ``sent`` and ``decided`` events; ``now_seconds`` by any clock that never goes back."""
        expected = round(sent / self.sent_share) if self.sent_share else 0
        share = min(decided / expected, 1.0) if expected else 0.0
        left = self._seconds_left(decided, expected, now_seconds)
        return Progress(sent=self.sent_share, decided=share, expected=expected, seconds_left=left)

    def _seconds_left(self, decided: int, expected: int, now: float) -> float | None:
        if decided and self._first is None:
            self._first = (now, decided)
        if self._first is None or now - self._first[0] < STEADY_SECONDS or decided <= self._first[1]:
            return None
        return (expected - decided) * (now - self._first[0]) / (decided - self._first[1])
