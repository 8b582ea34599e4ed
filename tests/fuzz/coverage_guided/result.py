"""The committed results: one file for each door."""

from pathlib import Path

import msgspec

from tests.fuzz.coverage_guided.run import Fuzzed

RESULTS = Path(__file__).parent / "results"


class Result(Fuzzed, kw_only=True):
    """The figures of one run of a door."""

    door: str
    command: str
    seed: int
    seconds: int
    day: str
    growth_bound_mib: int

    @property
    def passed(self) -> bool:
        return not self.findings


def read(directory: Path = RESULTS) -> dict[str, Result]:
    """The results by door."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=Result)
        for path in sorted(directory.glob("*.json"))
    }


def write(found: Result, directory: Path = RESULTS) -> None:
    directory.mkdir(exist_ok=True)
    (directory / f"{found.door}.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
