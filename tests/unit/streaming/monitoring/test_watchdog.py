"""The watchdog ends a stalled worker, and one whose stop takes too long."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from app.errors import FraudstreamError, Paused, Stalled, StopOverdue
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.monitoring import watchdog as module
from app.streaming.monitoring.health import Health
from app.streaming.monitoring.watchdog import Watchdog
from tests.unit.clock import Clock

SECONDS = 10.0
CHECK_SECONDS = 0.01

Ends = SimpleQueue[tuple[str, FraudstreamError]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fence(clock: Clock) -> SessionFence:
    return SessionFence(9.0, clock)


@pytest.fixture
def health(clock: Clock) -> Health:
    health = Health(60.0, clock)
    health.started()
    health.assigned()
    health.restored(1)
    return health


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ends:
    """The operations and errors with which the process would have ended."""
    ends = Ends()
    for name in (
        "app.streaming.delivery.fail_stop.end_process",
        "app.streaming.monitoring.watchdog.end_process",
    ):
        monkeypatch.setattr(name, lambda doing, error: ends.put((doing, error)))
    monkeypatch.setattr(module, "CHECK_SECONDS", CHECK_SECONDS)
    return ends


@contextmanager
def running(fence: SessionFence, health: Health) -> Iterator[Watchdog]:
    """Its thread ends before the replacements of a test, or it might end the process after them."""
    watching = Watchdog(fence, health)
    watching.start()
    try:
        yield watching
    finally:
        watching.stop()
        watching._thread.join(SECONDS)


@pytest.fixture
def watchdog(fence: SessionFence, health: Health, ended: Ends) -> Iterator[Watchdog]:  # noqa: ARG001  # it ends after the thread
    with running(fence, health) as watching:
        yield watching


def test_a_paused_event_loop_ends_the_process(watchdog: Watchdog, clock: Clock, ended: Ends) -> None:
    assert watchdog.liveness().good
    clock.seconds = 9.5

    doing, error = ended.get(timeout=SECONDS)
    assert ("watching", Paused) == (doing, type(error))


def test_records_that_wait_without_progress_end_the_process_and_say_since_when(
    watchdog: Watchdog,
    fence: SessionFence,
    health: Health,
    clock: Clock,
    ended: Ends,
) -> None:
    health.taken(3, 100)
    for clock.seconds in range(0, 61, 5):
        fence.beat()
    clock.seconds = 60.5
    assert (False, "partition 3: no chunk in flight was finished for 60 s") == watchdog.liveness()

    _, error = ended.get(timeout=SECONDS)
    assert isinstance(error, Stalled)
    assert "partition 3: no chunk in flight was finished for 60 s, since 20" in str(error)


def test_the_liveness_probe_reports_a_paused_event_loop(
    fence: SessionFence, health: Health, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", SECONDS)  # it would end the process
    watchdog = Watchdog(fence, health)
    clock.seconds = 30
    assert watchdog.liveness().good, "not started yet: loading and compiling may take as long"

    with running(fence, health) as started:
        assert (False, "the event loop did not run for 30.0 s, the limit is 9.0") == started.liveness()
    assert started.liveness().good


def test_the_watchdog_ignores_a_worker_that_stops(watchdog: Watchdog, clock: Clock, ended: Ends) -> None:
    watchdog.stop()
    watchdog._thread.join(SECONDS)
    clock.seconds = 1_000

    assert ended.empty()
    assert not watchdog._thread.is_alive()


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (lambda health: health.taken(2, 7), "chunks of partitions [2] are unfinished"),
        (lambda _: None, "no chunk is unfinished"),
    ],
)
def test_a_stop_beyond_its_limit_ends_the_process(
    work: Callable[[Health], None],
    told: str,
    watchdog: Watchdog,
    health: Health,
    ended: Ends,
) -> None:
    work(health)
    watchdog.bound_stop(0.05)

    doing, error = ended.get(timeout=SECONDS)
    assert ("stopping", StopOverdue) == (doing, type(error))
    assert f"asked to stop 0.05 s ago; {told}" == str(error)


async def test_a_worker_with_progress_is_not_ended(health: Health, ended: Ends) -> None:
    """With the real clock: twenty checks, one chunk after the other."""
    fence = SessionFence(SECONDS, time.monotonic)
    with running(fence, health):
        beating = asyncio.create_task(fence.run())
        for offset in range(20):
            health.taken(0, offset)
            await asyncio.sleep(CHECK_SECONDS)
            health.finished(0, offset)
    beating.cancel()

    assert ended.empty()
