"""Stops a worker that was paused longer than its group session: it has lost its partitions and must not write.

A worker stopped by a signal, suspended with its machine or starved of CPU resumes with chunks in memory that another
worker has scored in the meantime. The monotonic clock shows the pause, because it runs on while the process does not.
"""

import asyncio
from collections.abc import Callable

from app.errors import Paused
from app.streaming.delivery.fail_stop import fail_stop

_BEATS_PER_LIMIT = 20


class SessionFence:
    """Beats while the event loop runs; ``check`` precedes every write."""

    def __init__(self, limit_seconds: float, clock: Callable[[], float]) -> None:
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._last_beat = clock()

    def check(self) -> None:
        """Raise Paused when the last beat is older than the limit."""
        silence_seconds = self._clock() - self._last_beat
        if silence_seconds > self._limit_seconds:
            raise Paused(
                f"the event loop did not run for {silence_seconds:.1f} s, the limit is {self._limit_seconds}"
            )

    def reset(self) -> None:
        """Restart the count of silence: earlier silence no longer counts."""
        self._last_beat = self._clock()

    def beat(self) -> None:
        """Check, then count silence from now on.

        The check comes first: a process that resumes after a pause must not erase it by beating.
        """
        self.check()
        self.reset()

    async def run(self) -> None:
        """Beat until cancelled; end the process after too long a pause."""
        with fail_stop("checking the session fence"):
            while True:
                self.beat()
                await asyncio.sleep(self._limit_seconds / _BEATS_PER_LIMIT)
