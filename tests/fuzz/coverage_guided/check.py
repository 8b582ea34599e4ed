"""Decodes one input under the contract of its door, within the bounds of time and memory."""

import resource
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz.coverage_guided.findings import Notes
from tests.fuzz.coverage_guided.inputs import Inputs
from tests.fuzz.doors.door import Door
from tests.fuzz.supervisor import SLOWEST_MS

_RAISED, _FRAMES = "raised", 6


def peak_mib() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Meters(NamedTuple):
    """Seconds of processor time, and memory in MiB."""

    seconds: Callable[[], float] = time.process_time
    memory: Callable[[], float] = peak_mib


METERS = Meters()


class Check:
    """Called with the bytes of each input. A violation is noted, and the run goes on.

    Memory is that of one input. Growth over many is measured by the seeded runs: here the instrumented code itself grows, by
    1.4 kB for each input of the door of facts.
    """

    def __init__(self, door: Door, seed: int, notes: Notes, warm_up: int, meters: Meters = METERS) -> None:
        self._door = door
        self._inputs = Inputs(door, seed)
        self._notes = notes
        self._warm_up = warm_up
        self._meters = meters

    def __call__(self, data: bytes) -> None:
        given, found = self._inputs.of(data), self._notes.found
        begun, before = self._meters.seconds(), self._meters.memory()
        outcome, wrong = _decoded(self._door.decode, given)
        milliseconds = 1000 * (self._meters.seconds() - begun)
        growth = self._meters.memory() - before
        if found.inputs < self._warm_up:
            milliseconds = growth = 0.0  # caches fill
        found.growth_mib = max(found.growth_mib, round(growth, 1))
        self._notes.outcome(outcome, milliseconds)
        if outcome not in self._door.outcomes:
            self._notes.finding(wrong or f"has the undocumented outcome {outcome}", data)
        if milliseconds > SLOWEST_MS:
            self._notes.finding("takes longer than a second", data)
        if growth > self._door.growth_mib:
            self._notes.finding("takes more memory than its bound", data)


def _decoded(decode: Callable[[object], str], given: object) -> tuple[str, str]:
    """The outcome, and the places of an exception."""
    try:
        return decode(given), ""
    except BaseException as error:  # noqa: BLE001  # the run looks for exceptions of every kind, SystemExit included
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        return _RAISED, "\n".join([type(error).__name__, *(f"{at.name}:{at.lineno}" for at in frames)])
