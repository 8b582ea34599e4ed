"""Some thousand inputs through every door, and what the supervisor reports of a door that is broken."""

import os
import signal
from collections.abc import Callable
from random import Random

import pytest

from tests.fuzz import results_file, supervisor
from tests.fuzz.doors import DOORS
from tests.fuzz.doors.door import ACCEPTED, Door

SEED = 7


@pytest.mark.parametrize("name", DOORS)
def test_every_input_has_a_documented_outcome(name: str) -> None:
    door = DOORS[name]
    found = results_file.result(
        door, supervisor.run(door, SEED, 0, door.quick), command="", seed=SEED, inputs=door.quick, day=""
    )

    assert results_file.broken(found) == []
    assert sum(found.outcomes.values()) == door.quick


@pytest.mark.parametrize("name", DOORS)
def test_inputs_are_of_every_kind(name: str) -> None:
    """A generator of which nothing is accepted, or everything, would prove little."""
    door = DOORS[name]
    found = supervisor.run(door, SEED, 0, door.quick // 4)

    assert len(found.outcomes) > 1
    assert supervisor.make(door, SEED, 3) == supervisor.make(door, SEED, 3)


def _door(break_at: int, how: Callable[[], object]) -> Door:
    broken = Random(SEED * 2**40 + break_at).random()

    def decode(number: object) -> str:
        if number == broken:
            how()
        return ACCEPTED

    return Door("broken", "", Random.random, decode, frozenset({ACCEPTED}))


def _raise() -> None:
    raise KeyError("unexpected")


@pytest.mark.parametrize(
    ("how", "what"),
    [
        pytest.param(_raise, "KeyError", id="exception"),
        pytest.param(lambda: os._exit(3), "ends the process with 3", id="exit"),
        pytest.param(signal.pause, "takes longer", id="hang"),
    ],
)
def test_a_broken_door_is_found(how: Callable[[], object], what: str) -> None:
    found = supervisor.run(_door(30, how), SEED, 0, 100, hang_seconds=1.0)

    assert [(finding.index, what in finding.what) for finding in found.findings] == [(30, True)]


def test_an_undocumented_outcome_and_a_slow_input_are_found() -> None:
    door = Door("odd", "", Random.random, lambda _: "odd", frozenset({ACCEPTED}))
    tally = supervisor.run(door, SEED, 0, 1)
    tally.slowest_ms = supervisor.SLOWEST_MS + 1

    wrong = results_file.broken(results_file.result(door, tally, command="", seed=SEED, inputs=1, day=""))

    assert len(wrong) == 2
