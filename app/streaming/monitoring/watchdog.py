"""A thread that ends a worker which stands still. The event loop cannot: it may be what stands still.

Ending is the remedy, since nothing else is safe: what hangs may go on at any moment and write. The next process
begins at the last commit.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.errors import Paused, Stalled, StopOverdue
from app.streaming.delivery.fail_stop import end_process, fail_stop
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.monitoring.health import Health, Verdict

LOOK_SECONDS = 1.0


class Watchdog:
    """Looks at the fence, which the event loop beats, and at the records that wait."""

    def __init__(self, fence: SessionFence, health: Health) -> None:
        self._fence = fence
        self._health = health
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Look no more; to be called before the fence's beat ends."""
        self._stopped.set()

    def liveness(self) -> Verdict:
        """``/livez``."""
        if self._thread.is_alive() and not self._stopped.is_set():
            try:
                self._fence.check()
            except Paused as error:
                return Verdict(good=False, why=str(error))
        return self._health.liveness()

    def bound_stop(self, seconds: float) -> None:
        """From now on the process has so long to end in order; then it ends as it is."""
        timer = threading.Timer(seconds, self._end_overdue, [seconds])
        timer.daemon = True
        timer.start()

    def _watch(self) -> None:
        with fail_stop("watching"):
            while not self._stopped.wait(LOOK_SECONDS):
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
