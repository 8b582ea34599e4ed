"""The committed results: one file for each door."""

from pathlib import Path

import msgspec

from tests.fuzz.doors.door import Door
from tests.fuzz.supervisor import SLOWEST_MS, Finding, Tally

RESULTS = Path(__file__).parent / "results"


class Result(msgspec.Struct, kw_only=True):
    """The figures of one run of a door."""

    door: str
    what: str
    command: str
    seed: int
    inputs: int
    day: str
    outcomes: dict[str, int]
    findings: list[Finding]
    slowest_ms: float
    """Processor time of the slowest input."""
    slowest_index: int
    growth_mib: float
    """Largest growth of the memory of a process of 100,000 inputs."""
    growth_bound_mib: int
    cpu_seconds: float

    @property
    def passed(self) -> bool:
        return not broken(self)


def result(door: Door, tally: Tally, *, command: str, seed: int, inputs: int, day: str) -> Result:
    return Result(
        door=door.name,
        what=door.what,
        command=command,
        seed=seed,
        inputs=inputs,
        day=day,
        outcomes=dict(sorted(tally.outcomes.items())),
        findings=tally.findings,
        slowest_ms=tally.slowest_ms,
        slowest_index=tally.slowest_index,
        growth_mib=tally.growth_mib,
        growth_bound_mib=door.growth_mib,
        cpu_seconds=round(tally.cpu_seconds, 1),
    )


def broken(found: Result) -> list[str]:
    """What is not as documented."""
    kinds = {finding.what: finding.index for finding in reversed(found.findings)}
    wrong = [f"input {index}: {what}" for what, index in kinds.items()]
    if found.slowest_ms > SLOWEST_MS:
        wrong.append(f"input {found.slowest_index} takes {found.slowest_ms} ms")
    if found.growth_mib > found.growth_bound_mib:
        wrong.append(f"memory grows by {found.growth_mib} MiB")
    return wrong


def read(directory: Path = RESULTS) -> dict[str, Result]:
    """The results by door."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Result)
        for path in sorted(directory.glob("*.json"))
    }


def write(found: Result, directory: Path = RESULTS) -> None:
    directory.mkdir(exist_ok=True)
    (directory / f"{found.door}.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
