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
    """Called with the bytes of each input. A violation is noted, and the run goes on."""

    def __init__(self, door: Door, seed: int, notes: Notes, warm_up: int, meters: Meters = METERS) -> None:
        self._door = door
        self._inputs = Inputs(door, seed)
        self._notes = notes
        self._warm_up = warm_up
        self._meters = meters
        self._settled_mib = 0.0

    def __call__(self, data: bytes) -> None:
        given = self._inputs.of(data)
        begun = self._meters.seconds()
        outcome, wrong = _decoded(self._door.decode, given)
        milliseconds = 1000 * (self._meters.seconds() - begun)
        is_warm = self._notes.found.inputs >= self._warm_up
        self._notes.outcome(outcome, milliseconds if is_warm else 0.0)
        if outcome not in self._door.outcomes:
            self._notes.finding(wrong or f"has the undocumented outcome {outcome}", data)
        if is_warm and milliseconds > SLOWEST_MS:
            self._notes.finding("takes longer than a second", data)
        self._measure_memory(data)

    def _measure_memory(self, data: bytes) -> None:
        found = self._notes.found
        if found.inputs <= self._warm_up:
            self._settled_mib = self._meters.memory()
            return
        found.growth_mib = round(self._meters.memory() - self._settled_mib, 1)
        if found.growth_mib > self._door.growth_mib:
            self._notes.finding("memory grows beyond the bound", data)


def _decoded(decode: Callable[[object], str], given: object) -> tuple[str, str]:
    """The outcome, and the places of an exception."""
    try:
        return decode(given), ""
    except BaseException as error:  # noqa: BLE001  # the run looks for exceptions of every kind, SystemExit included
        frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        return _RAISED, "\n".join([type(error).__name__, *(f"{at.name}:{at.lineno}" for at in frames)])
