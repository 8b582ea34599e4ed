"""A worker that was paused longer than its session has lost its partitions and must not write any more.

Stopped by a signal, frozen with its machine or starved, it wakes up with chunks in memory that another worker has
scored since. The clock that goes on during a pause is the monotonic one.
"""

import asyncio
from collections.abc import Callable

from app.errors import Paused
from app.streaming.delivery.fail_stop import fail_stop

_BEATS_PER_LIMIT = 20


class SessionFence:
    """Beats while the event loop turns; ``check`` stands before every write."""

    def __init__(self, limit_seconds: float, clock: Callable[[], float]) -> None:
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._last_beat = clock()

    def check(self) -> None:
        """Raise Paused when the last beat is longer ago than the limit."""
        silence_seconds = self._clock() - self._last_beat
        if silence_seconds > self._limit_seconds:
            raise Paused(
                f"the event loop stood still for {silence_seconds:.1f} s, the limit is {self._limit_seconds}"
            )

    def reset(self) -> None:
        """Begin anew: what was before is no pause."""
        self._last_beat = self._clock()

    def beat(self) -> None:
        """Still running: check, and begin a new silence."""
        self.check()
        self.reset()

    async def run(self) -> None:
        """Beat until cancelled; the process ends when it was paused too long."""
        with fail_stop("beating"):
            while True:
                self.beat()
                await asyncio.sleep(self._limit_seconds / _BEATS_PER_LIMIT)
