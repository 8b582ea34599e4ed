"""A thread that ends a stalled worker. The event loop cannot do this, because it may be what is stalled.

Ending the process is the only safe remedy: a hanging call may resume at any moment and write, after another worker has
taken the partitions over. The next process begins at the last commit.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.errors import Paused, Stalled, StopOverdue
from app.streaming.delivery.fail_stop import end_process, fail_stop
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.monitoring.health import Health, Verdict

CHECK_SECONDS = 1.0


class Watchdog:
    """Checks the session fence, which the event loop must refresh, and the progress of the partitions."""

    def __init__(self, fence: SessionFence, health: Health) -> None:
        self._fence = fence
        self._health = health
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop checking. Call it before the fence is stopped, which would look like a paused event loop."""
        self._stopped.set()

    def liveness(self) -> Verdict:
        """The answer of ``/livez``."""
        if self._thread.is_alive() and not self._stopped.is_set():
            try:
                self._fence.check()
            except Paused as error:
                return Verdict(good=False, why=str(error))
        return self._health.liveness()

    def bound_stop(self, seconds: float) -> None:
        """Give the process ``seconds`` to stop in order; then it is ended."""
        timer = threading.Timer(seconds, self._end_overdue, [seconds])
        timer.daemon = True
        timer.start()

    def _watch(self) -> None:
        with fail_stop("watching"):
            while not self._stopped.wait(CHECK_SECONDS):
                self._fence.check()
                self._check_progress(lambda: datetime.now(UTC))

    def _check_progress(self, now: Callable[[], datetime]) -> None:
        stall = self._health.stall()
        if stall is not None:
            since = now() - timedelta(seconds=stall.seconds)
            raise Stalled(f"{stall}, since {since:%Y-%m-%dT%H:%M:%SZ}")

    def _end_overdue(self, seconds: float) -> None:
        unfinished = self._health.unfinished()
        which = (
            f"chunks of partitions {unfinished} are unfinished" if unfinished else "no chunk is unfinished"
        )
        end_process("stopping", StopOverdue(f"asked to stop {seconds:g} s ago; {which}"))
