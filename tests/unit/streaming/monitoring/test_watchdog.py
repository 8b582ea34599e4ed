"""The thread that ends a worker which stands still, and the bound on its stop."""

import asyncio
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from app.errors import FraudstreamError, Paused, Stalled, StopOverdue
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.monitoring import watchdog as module
from app.streaming.monitoring.health import Health
from app.streaming.monitoring.watchdog import Watchdog
from tests.unit.clock import Clock

SECONDS = 10.0
LOOK_SECONDS = 0.01

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
    """Where the process would have ended, and why."""
    ends = Ends()
    for name in (
        "app.streaming.delivery.fail_stop.end_process",
        "app.streaming.monitoring.watchdog.end_process",
    ):
        monkeypatch.setattr(name, lambda doing, error: ends.put((doing, error)))
    monkeypatch.setattr(module, "LOOK_SECONDS", LOOK_SECONDS)
    return ends


@pytest.fixture
def watchdog(fence: SessionFence, health: Health) -> Iterator[Watchdog]:
    watching = Watchdog(fence, health)
    watching.start()
    yield watching
    watching.stop()


def test_an_event_loop_that_stands_still_ends_the_process(
    watchdog: Watchdog, clock: Clock, ended: Ends
) -> None:
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


def test_the_page_says_that_the_event_loop_stands_still(
    fence: SessionFence, health: Health, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", SECONDS)  # it would end the process
    watchdog = Watchdog(fence, health)
    clock.seconds = 30
    assert watchdog.liveness().good, "not started yet: loading and compiling may take as long"

    watchdog.start()
    assert (False, "the event loop did not run for 30.0 s, the limit is 9.0") == watchdog.liveness()
    watchdog.stop()
    assert watchdog.liveness().good


def test_a_worker_that_is_told_to_stop_is_not_watched_any_more(
    watchdog: Watchdog, clock: Clock, ended: Ends
) -> None:
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
def test_a_stop_that_takes_too_long_ends_as_it_is(
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


async def test_a_beating_loop_with_work_that_goes_on_is_left_alone(health: Health, ended: Ends) -> None:
    """With the real clock: twenty looks, one chunk after the other."""
    fence = SessionFence(0.5, time.monotonic)
    watching = Watchdog(fence, health)
    watching.start()
    beating = asyncio.create_task(fence.run())
    for offset in range(20):
        health.taken(0, offset)
        await asyncio.sleep(LOOK_SECONDS)
        health.finished(0, offset)
    watching.stop()
    beating.cancel()

    assert ended.empty()
