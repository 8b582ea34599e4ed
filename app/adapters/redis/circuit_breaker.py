"""A circuit breaker: what has failed several times in a row is left alone for a while, then tried once."""


class CircuitBreaker:
    """Times are seconds of a clock that never runs backwards; every moment is an argument."""

    def __init__(self, failures: int, pause_seconds: float) -> None:
        self._failures = failures
        self._pause_seconds = pause_seconds
        self._failed = 0
        self._again_at: float | None = None
        """When the next attempt is due; None while closed."""

    @property
    def is_open(self) -> bool:
        """True from the last failure of a row to the next success."""
        return self._again_at is not None

    def allows(self, now: float) -> bool:
        """May it be tried now? While open one attempt a pause may, and is under way when this says so."""
        if self._again_at is None:
            return True
        if now < self._again_at:
            return False
        self._again_at = now + self._pause_seconds
        return True

    def succeeded(self) -> None:
        """Closed from here on."""
        self._failed, self._again_at = 0, None

    def failed(self, now: float) -> None:
        """One more in a row; the pause begins anew where it opens or stays open."""
        self._failed += 1
        if self._failed >= self._failures:
            self._again_at = now + self._pause_seconds
