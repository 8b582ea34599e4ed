"""What the fuzzer's process finds of a door that is broken; no fuzzer is needed."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.coverage_guided import findings
from tests.fuzz.coverage_guided.check import METERS, Check, Meters
from tests.fuzz.coverage_guided.findings import Notes
from tests.fuzz.doors.door import ACCEPTED, WHOLE, Door

_OUTCOMES = {b"good": ACCEPTED, b"odd": "odd"}


def _found(path: Path, inputs: list[bytes], meters: Meters = METERS) -> findings.Found:
    door = Door("d", "", Random.random, _OUTCOMES.__getitem__, frozenset({ACCEPTED}), payload=WHOLE)
    notes = Notes(path / "found.json")
    check = Check(door, 7, notes, warm_up=1, meters=meters)
    for data in inputs:
        check(b"\0\0\0\1" + data)
    notes.write()
    return findings.read(path / "found.json")


def test_each_kind_of_finding_is_kept_once_and_the_run_goes_on(tmp_path: Path) -> None:
    found = _found(tmp_path, [b"good", b"raise", b"raise", b"odd", b"good"])

    assert [what.split("\n")[0] for what in found.findings] == [
        "KeyError",
        "has the undocumented outcome odd",
    ]
    assert list(found.findings.values()) == [b"\0\0\0\1raise", b"\0\0\0\1odd"]
    assert (found.inputs, found.outcomes) == (5, {ACCEPTED: 2, "raised": 2, "odd": 1})


def test_an_input_may_exit(tmp_path: Path) -> None:
    """A door that ends the process is a finding as well; a signal is left to libFuzzer."""

    def leave(_: object) -> str:
        raise SystemExit(70)

    door = Door("d", "", Random.random, leave, frozenset({ACCEPTED}), payload=WHOLE)
    notes = Notes(tmp_path / "found.json")
    Check(door, 7, notes, warm_up=1)(b"\0\0\0\1")

    assert [what.split("\n")[0] for what in notes.found.findings] == ["SystemExit"]


@pytest.mark.parametrize(
    ("step", "expected"), [(0.4, []), (1.1, ["takes longer than a second"])], ids=["quick", "slow"]
)
def test_a_slow_input_is_found(tmp_path: Path, step: float, expected: list[str]) -> None:
    """The first inputs are not timed: caches fill."""
    assert list(_found(tmp_path, [b"good"] * 3, Meters(seconds=_steps(step))).findings) == expected


@pytest.mark.parametrize(
    ("step", "expected"), [(5.0, []), (65.0, ["takes more memory than its bound"])], ids=["little", "much"]
)
def test_an_input_that_takes_much_memory_is_found(tmp_path: Path, step: float, expected: list[str]) -> None:
    found = _found(tmp_path, [b"good"] * 3, Meters(memory=_steps(step)))

    assert (list(found.findings), found.growth_mib) == (expected, step)


def _steps(step: float) -> Callable[[], float]:
    return count(0.0, step).__next__
