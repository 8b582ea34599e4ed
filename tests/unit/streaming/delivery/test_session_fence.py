"""A paused worker finds out before it writes."""

import pytest

from app.errors import Paused
from app.streaming.delivery.session_fence import SessionFence
from tests.unit.clock import Clock


def test_a_worker_that_beats_in_time_may_write() -> None:
    clock = Clock()
    fence = SessionFence(9.0, clock)
    for _ in range(5):
        clock.seconds += 9.0
        fence.beat()

    fence.check()


def test_a_worker_that_was_silent_too_long_may_not_write() -> None:
    clock = Clock()
    fence = SessionFence(9.0, clock)
    clock.seconds = 9.1

    with pytest.raises(Paused, match=r"9\.1 s, the limit is 9"):
        fence.check()


def test_waking_up_does_not_hide_the_pause() -> None:
    clock = Clock()
    fence = SessionFence(9.0, clock)
    clock.seconds = 60.0

    with pytest.raises(Paused):
        fence.beat()
    with pytest.raises(Paused):
        fence.check()
