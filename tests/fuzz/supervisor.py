"""Runs inputs in child processes, so that a crash or a hang is a finding and not the end of the run."""

import gc
import mmap
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from random import Random

import msgspec

from tests.fuzz.doors.door import Door

SLICE = 100_000
"""Inputs of one process: enough that a small leak shows."""
WARM_UP = 500
"""Inputs after which memory is measured."""
HANG_SECONDS = 60.0
"""Elapsed time of one input, on a machine that others use as well."""
SLOWEST_MS = 1_000.0
"""Processor time that one input may take."""
_MOST_FINDINGS = 20


class Progress:
    """The input at work and since when, in memory that two processes share. Each number is written by one store: `struct` would
    clear them first, and a reader in between would take that for a hang.
    """

    def __init__(self, index: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 16)).cast("d")
        self.at(index)

    def at(self, index: int) -> None:
        """Note that this input begins now."""
        self._numbers[1] = time.monotonic()
        self._numbers[0] = index

    def read(self) -> tuple[int, float]:
        """The input's number, and the monotonic time of its beginning."""
        return int(self._numbers[0]), self._numbers[1]


class Finding(msgspec.Struct):
    """An input with an outcome that is not documented."""

    index: int
    what: str


class Tally(msgspec.Struct):
    """Figures of consecutive inputs."""

    outcomes: dict[str, int] = {}
    findings: list[Finding] = []
    slowest_ms: float = 0.0
    slowest_index: int = 0
    growth_mib: float = 0.0
    """Growth of the resident memory after the first inputs."""
    cpu_seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        self.outcomes = dict(Counter(self.outcomes) + Counter(other.outcomes))
        self.findings = [*self.findings, *other.findings]
        if other.slowest_ms > self.slowest_ms:
            self.slowest_ms, self.slowest_index = other.slowest_ms, other.slowest_index
        self.growth_mib = max(self.growth_mib, other.growth_mib)
        self.cpu_seconds += other.cpu_seconds


def make(door: Door, seed: int, index: int) -> object:
    """The input with this number: a function of the seed and the number."""
    return door.make(Random(seed * 2**40 + index))


def run(door: Door, seed: int, start: int, stop: int, hang_seconds: float = HANG_SECONDS) -> Tally:
    """Run the inputs from ``start`` to ``stop``. A slice that ends early is run again up to the input that ended it."""
    total, at = Tally(), start
    while at < stop and len(total.findings) < _MOST_FINDINGS:
        end = min(at + SLICE, stop)
        found = _in_child(door, seed, at, end, hang_seconds)
        if isinstance(found, Tally):
            total.add(found)
        else:
            total.findings.append(found)
            if found.index > at:
                total.add(run(door, seed, at, found.index, hang_seconds))
            end = found.index + 1
        at = end
    return total


def _in_child(door: Door, seed: int, start: int, stop: int, hang_seconds: float) -> Tally | Finding:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    progress = Progress(start)
    child = context.Process(target=_child, args=(door, seed, start, stop, progress, sender), daemon=True)
    child.start()
    sender.close()
    try:
        while not receiver.poll(0.5):
            index, begun = progress.read()
            if time.monotonic() - begun > hang_seconds:
                child.kill()
                return Finding(index, f"takes longer than {hang_seconds:.0f} s")
        return msgspec.json.decode(receiver.recv_bytes(), type=Tally)
    except EOFError:
        child.join()
        return Finding(progress.read()[0], f"ends the process with {child.exitcode}")
    finally:
        child.join()
        receiver.close()


def _child(door: Door, seed: int, start: int, stop: int, progress: Progress, sender: Connection) -> None:
    gc.freeze()  # a collection of the imported modules' objects takes longer than any input
    tally = count(door, seed, start, stop, progress)
    sender.send_bytes(msgspec.json.encode(tally))


def count(door: Door, seed: int, start: int, stop: int, progress: Progress) -> Tally:
    """Decode the inputs in this process."""
    outcomes: Counter[str] = Counter()
    tally, settled = Tally(), _peak_mib()
    index = start
    # A library's callback that raises: Python only prints it.
    sys.unraisablehook = lambda event: tally.findings.append(
        Finding(index, f"unraisable: {event.exc_value!r}")
    )
    for index in range(start, stop):
        given = make(door, seed, index)
        progress.at(index)
        begun = time.process_time()
        try:
            outcome = door.decode(given)
            if outcome not in door.outcomes:
                tally.findings.append(Finding(index, f"has the undocumented outcome {outcome}"))
        except BaseException:  # noqa: BLE001  # the run looks for exceptions of every kind, SystemExit included
            outcome = "raised"
            tally.findings.append(Finding(index, _shortened(traceback.format_exc())))
        milliseconds = (time.process_time() - begun) * 1000
        outcomes[outcome] += 1
        tally.cpu_seconds += milliseconds / 1000
        if milliseconds > tally.slowest_ms and index >= start + WARM_UP:
            tally.slowest_ms, tally.slowest_index = round(milliseconds, 1), index
        if index == start + WARM_UP:
            settled = _peak_mib()
        if len(tally.findings) >= _MOST_FINDINGS:
            break
    tally.outcomes = dict(outcomes)
    tally.growth_mib = round(max(0.0, _peak_mib() - settled), 1)
    return tally


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _shortened(text: str) -> str:
    lines = text.strip().splitlines()
    return "\n".join(lines[-8:])[-1_500:]
