"""A worker whose clock differs from the brokers' does not write; the message tells by how much, and the direction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ClockWrong
from app.streaming.monitoring.clock_watch import ClockWatch
from tests.unit.clock import Clock

TODAY = 1_760_000_000.0
SECONDS = st.floats(-7200, 7200) | st.floats(-120, 120)
"""Half of them near the limit, where the delay of the answer decides."""


class Machine:
    """A machine whose clock is ``ahead`` of the brokers', negative if behind."""

    def __init__(self, ahead: float) -> None:
        self.wall, self.monotonic = Clock(), Clock()
        self.wall.seconds, self.brokers = TODAY + ahead, TODAY
        self.watch = ClockWatch(60.0, self.wall, self.monotonic)

    def passes(self, seconds: float) -> None:
        self.wall.seconds += seconds
        self.monotonic.seconds += seconds
        self.brokers += seconds

    def writes(self, there: float, back: float) -> None:
        """Write a record that reaches its broker after ``there`` seconds, and is acknowledged ``back`` seconds later."""
        sent_at = self.wall.seconds
        self.passes(there)
        broker_ms = round(self.brokers * 1000)
        self.passes(back)
        self.watch.observe(sent_at, broker_ms)


@pytest.mark.parametrize(("ahead", "said"), [(3600, "1 h ahead of"), (-600, "10 min behind")])
def test_a_wrong_clock_is_named_with_difference_direction_and_setting(ahead: float, said: str) -> None:
    with pytest.raises(
        ClockWrong, match=rf"clock is {said} the brokers' .*FRAUDSTREAM_WORKER_MAX_CLOCK_SKEW_SECONDS=60"
    ):
        Machine(ahead).writes(0, 0)


@given(ahead=SECONDS, there=st.floats(0, 30), back=st.floats(0, 30))
def test_a_clock_is_wrong_exactly_if_no_delay_explains_the_difference(
    ahead: float, there: float, back: float
) -> None:
    """The broker answered between the request and its acknowledgement, and more is not known."""
    machine = Machine(ahead)
    if ahead - there > 60.001 or ahead + back < -60.001:
        with pytest.raises(ClockWrong):
            machine.writes(there, back)
    elif ahead - there < 59.999 and ahead + back > -59.999:
        machine.writes(there, back)


@given(jump=SECONDS, idle=st.floats(0, 100_000))
def test_a_jump_is_seen_at_the_next_check_without_an_answer(jump: float, idle: float) -> None:
    machine = Machine(1.0)
    machine.writes(0, 0)
    machine.passes(idle)
    machine.watch.check()
    machine.wall.seconds += jump
    if abs(jump + 1) > 60.001:
        with pytest.raises(ClockWrong):
            machine.watch.check()
    elif abs(jump + 1) < 59.999:
        machine.watch.check()


def test_a_clock_that_drifted_and_was_set_right_again_is_right() -> None:
    machine = Machine(-50.0)
    machine.writes(0, 0)
    machine.wall.seconds += 50
    machine.writes(0, 0)
    machine.wall.seconds += 50
    machine.watch.check()


def test_the_mutant_that_trusts_its_clock_is_found() -> None:
    """Without the comparison a worker that is an hour fast continues: the tests above fail for it."""

    class Trusting(ClockWatch):
        def check(self) -> None:
            """Never compares."""

    machine = Machine(3600)
    machine.watch = Trusting(60.0, machine.wall, machine.monotonic)
    machine.writes(0, 0)
