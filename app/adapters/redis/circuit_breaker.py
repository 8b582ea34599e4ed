"""A circuit breaker: after several failures in a row it allows one attempt per pause until one succeeds."""


class CircuitBreaker:
    """Opens after ``failures`` in a row. ``now`` is in seconds of a monotonic clock."""

    def __init__(self, failures: int, pause_seconds: float) -> None:
        self._failures = failures
        self._pause_seconds = pause_seconds
        self._failed = 0
        self._again_at: float | None = None
        """Time of the next attempt; None while closed."""

    @property
    def is_open(self) -> bool:
        """True from the failure that opened the breaker to the next success."""
        return self._again_at is not None

    def allows(self, now: float) -> bool:
        """Whether an attempt may start now. While open, True begins the one attempt of this pause."""
        if self._again_at is None:
            return True
        if now < self._again_at:
            return False
        self._again_at = now + self._pause_seconds
        return True

    def succeeded(self) -> None:
        """Report a success: closes the breaker."""
        self._failed, self._again_at = 0, None

    def failed(self, now: float) -> None:
        """Report a failure: opens the breaker after enough of them, and restarts the pause while it is open."""
        self._failed += 1
        if self._failed >= self._failures:
            self._again_at = now + self._pause_seconds
