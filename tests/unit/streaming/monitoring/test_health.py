"""A worker with progress is alive, however slow; one without progress is stalled, however busy."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streaming.monitoring.health import Health
from tests.unit.clock import Clock

STALL_SECONDS = 60.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(STALL_SECONDS, clock)


def serve(health: Health, partitions: int = 2) -> None:
    health.started()
    health.rebalancing()
    health.assigned()
    health.restored(partitions)


def restore(health: Health) -> None:
    """A worker that restores while records wait."""
    health.started()
    health.assigned()
    health.lag({0: 5})


def test_the_probes_follow_a_worker_through_its_life(health: Health) -> None:
    life: tuple[Callable[[], None], ...] = (
        lambda: None,
        health.started,
        health.rebalancing,
        health.assigned,
        lambda: health.restored(4),
        health.rebalancing,
        health.assigned,
        lambda: health.restored(0),
        health.stopping,
    )
    answers = []
    for step in life:
        step()
        answers.append((health.startup().good, health.readiness(), health.liveness().good))

    assert [
        (False, (False, "starting"), True),
        (True, (False, "waiting for the group's assignment"), True),
        (True, (False, "waiting for the group's assignment"), True),
        (True, (False, "restoring profiles"), True),
        (True, (True, "serving 4 partitions"), True),
        (True, (False, "waiting for the group's assignment"), True),
        (True, (False, "restoring profiles"), True),
        (True, (True, "serving 0 partitions"), True),
        (True, (False, "stopping"), True),
    ] == answers


def test_a_rebalance_during_the_stop_does_not_make_the_worker_ready(health: Health) -> None:
    serve(health)
    health.stopping()
    health.rebalancing()
    health.restored(2)

    assert not health.readiness().good


def test_a_worker_without_records_is_never_stalled(health: Health, clock: Clock) -> None:
    serve(health)
    health.fetched(0, 9)
    health.taken(0, 9)
    health.finished(0, 9)
    health.lag({0: 0, 1: 0})
    clock.seconds = 1e9

    assert health.liveness().good


@pytest.mark.parametrize(
    ("wait", "why"),
    [
        (lambda health: health.taken(1, 9), "partition 1: no chunk in flight was finished for 61 s"),
        (lambda health: health.fetched(1, 9), "partition 1: no chunk fetched was taken up for 61 s"),
        (
            lambda health: health.lag({0: 0, 1: 1}),
            "partition 1: no record of those waiting was fetched for 61 s",
        ),
    ],
    ids=["in flight", "fetched", "known lag"],
)
def test_records_that_wait_too_long_are_a_stall(
    wait: Callable[[Health], None], why: str, health: Health, clock: Clock
) -> None:
    serve(health)
    clock.seconds = 100
    wait(health)

    clock.seconds += STALL_SECONDS
    assert health.liveness().good
    clock.seconds += 1
    assert (False, why) == health.liveness()


def test_progress_of_one_partition_does_not_hide_a_stall_of_another(health: Health, clock: Clock) -> None:
    serve(health)
    health.taken(0, 9)
    for offset in range(10, 80):
        clock.seconds += 1
        health.taken(1, offset)
        health.finished(1, offset)

    assert "partition 0" in health.liveness().why


def test_a_slow_worker_with_progress_is_alive(health: Health, clock: Clock) -> None:
    """Records always wait, and one chunk is finished every 50 s."""
    serve(health)
    health.fetched(0, 1_000)
    health.lag({0: 1_000_000})
    for offset in range(20):
        health.taken(0, offset + 1)
        clock.seconds += 50
        health.finished(0, offset)
        assert health.liveness().good


def test_unreachable_brokers_are_no_stall(health: Health, clock: Clock) -> None:
    serve(health)
    health.lag({0: 5})
    clock.seconds += STALL_SECONDS - 1
    health.lag({})
    clock.seconds += STALL_SECONDS

    assert health.liveness().good


def test_during_a_rebalance_only_a_chunk_in_flight_can_be_stalled(health: Health, clock: Clock) -> None:
    """Faust drops queued chunks then; a chunk in flight delays the whole group."""
    serve(health)
    health.fetched(0, 9)
    health.taken(1, 9)
    health.fetched(1, 19)
    health.rebalancing()
    clock.seconds += STALL_SECONDS + 1
    assert "partition 1" in health.liveness().why

    health.finished(1, 9)
    clock.seconds += STALL_SECONDS + 1
    assert health.liveness().good


def test_a_long_restore_with_progress_is_alive(health: Health, clock: Clock) -> None:
    restore(health)
    for _ in range(10):
        clock.seconds += STALL_SECONDS
        health.restoring()
    assert health.liveness().good

    clock.seconds += STALL_SECONDS + 1
    assert not health.liveness().good


def test_the_stall_limit_starts_again_after_a_restore(health: Health, clock: Clock) -> None:
    restore(health)
    clock.seconds += STALL_SECONDS
    health.restored(1)
    clock.seconds += STALL_SECONDS

    assert health.liveness().good


def test_state_of_an_earlier_assignment_is_cleared(health: Health, clock: Clock) -> None:
    serve(health)
    health.fetched(0, 9)
    health.rebalancing()
    health.fetched(0, 19)
    health.assigned()
    health.finished(0, 9)
    health.restored(1)
    clock.seconds += STALL_SECONDS + 1

    assert health.liveness().good


def test_a_stop_has_its_own_limit_and_names_unfinished_partitions(health: Health, clock: Clock) -> None:
    serve(health)
    health.taken(3, 9)
    health.taken(1, 9)
    health.taken(2, 9)
    health.finished(2, 9)
    health.stopping()
    clock.seconds += STALL_SECONDS + 1

    assert health.liveness().good
    assert [1, 3] == health.unfinished()


steps = st.lists(
    st.tuples(
        st.floats(0, STALL_SECONDS / 2),
        st.sampled_from(["fetch", "take", "finish", "lag"]),
        st.integers(0, 2),
    ),
    max_size=60,
)


@given(steps)
def test_a_stall_is_reported_exactly_if_no_chunk_finishes_in_time(
    history: list[tuple[float, str, int]],
) -> None:
    """Compared with a simple model: the time since when each partition has had records, or last finished a chunk."""
    clock = Clock()
    health = Health(STALL_SECONDS, clock)
    serve(health)
    fetched, taken, finished, lag = [-1] * 3, [-1] * 3, [-1] * 3, [0] * 3
    idle_until, progress = [0.0] * 3, [0.0] * 3
    for seconds, step, number in history:
        clock.seconds += seconds
        busy = [finished[at] < fetched[at] or lag[at] > 0 for at in range(3)]
        if step == "fetch":
            fetched[number] += 1
            health.fetched(number, fetched[number])
        elif step == "take" and taken[number] < fetched[number]:
            taken[number] += 1
            health.taken(number, taken[number])
        elif step == "finish" and finished[number] < taken[number]:
            finished[number] += 1
            progress[number] = clock.seconds
            health.finished(number, finished[number])
        elif step == "lag":
            lag[number] = 1 - lag[number]
            health.lag(dict(enumerate(lag)))
        idle_until = [idle_until[at] if busy[at] else clock.seconds for at in range(3)]

        waiting = {
            at: clock.seconds - max(idle_until[at], progress[at])
            for at in range(3)
            if finished[at] < fetched[at] or lag[at] > 0
        }
        assert health.liveness().good is all(seconds <= STALL_SECONDS for seconds in waiting.values())
