"""Supervises the fuzzer of one door: starts it, reads what it found, and starts it again after an input that ended it."""

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from tests.fuzz.coverage_guided.findings import Found, read
from tests.support.paths import REPOSITORY

SEEDS = 500
"""Inputs of the generator that the corpus begins with."""
_MOST_BYTES = 64 * 1024
_MEMORY_MIB = 4_096
"""Of the process: the bound of the door is checked after each input, this one while it runs."""
_MOST_ENDS = 5
_HANG_SECONDS = 300
"""Elapsed time of one input, which ends the process; processor time is bounded by a second after each input."""
_COVERED = re.compile(rb"cov: (\d+)")


class Fuzzed(msgspec.Struct):
    """The figures of a door."""

    inputs: int = 0
    edges: int = 0
    """Branches of ``app`` that inputs went through."""
    kept: int = 0
    """Inputs that reached new ones."""
    outcomes: dict[str, int] = {}
    findings: dict[str, bytes] = {}
    slowest_ms: float = 0.0
    growth_mib: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, found: Found) -> None:
        self.inputs += found.inputs
        self.outcomes = dict(sorted((Counter(self.outcomes) + Counter(found.outcomes)).items()))
        self.findings |= found.findings
        self.slowest_ms = max(self.slowest_ms, found.slowest_ms)
        self.growth_mib = max(self.growth_mib, found.growth_mib)
        self.cpu_seconds = round(self.cpu_seconds + found.cpu_seconds, 1)


def run(door: str, seed: int, seconds: int, *, inputs: int = -1, seeds: int = SEEDS) -> Fuzzed:
    """Fuzz for so many seconds, or with so many inputs if that is sooner."""
    total, until = Fuzzed(), time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
        directory = Path(made)
        (directory / "corpus").mkdir()
        for _ in range(_MOST_ENDS):
            rest = round(until - time.monotonic())
            if rest <= 0:
                break
            (directory / "found.json").unlink(missing_ok=True)
            flags = [f"-max_total_time={rest}", f"-runs={inputs}", f"-seed={seed}"]
            code = _process(door, seed, directory, flags, seeds)
            total.add(read(directory / "found.json"))
            total.edges = max(total.edges, _covered(directory / "log"))
            if code == 0:
                break
            total.findings |= ended(code, directory)
        total.kept = sum(1 for _ in (directory / "corpus").iterdir())
    return total


def _process(door: str, seed: int, directory: Path, flags: list[str], seeds: int) -> int:
    bounds = [
        *(f"-timeout={_HANG_SECONDS}", f"-rss_limit_mb={_MEMORY_MIB}", f"-max_len={_MOST_BYTES}"),
        *(f"-artifact_prefix={directory}/ended-", "-print_final_stats=1"),
    ]
    options = {
        "door": door,
        "seed": seed,
        "directory": str(directory),
        "flags": [*flags, *bounds],
        "seeds": seeds,
    }
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.coverage_guided.target",
        msgspec.json.encode(options).decode(),
    ]
    with (directory / "log").open("wb") as log:
        return subprocess.run(command, check=False, stderr=log, stdout=log, cwd=REPOSITORY).returncode  # noqa: S603  # ours


def _covered(log: Path) -> int:
    return max((int(found) for found in _COVERED.findall(log.read_bytes())), default=0)


def ended(code: int, directory: Path) -> dict[str, bytes]:
    """What ended the process: the inputs that libFuzzer wrote, or the end of its output where it wrote none."""
    found = {
        f"ends the process with {code} ({path.name.split('-')[1]})": path
        for path in directory.glob("ended-*")
    }
    inputs = {what: path.read_bytes() for what, path in found.items()}
    for path in found.values():
        path.unlink()
    return inputs or {f"the process ends with {code}": (directory / "log").read_bytes()[-2_000:]}
