"""Reads and writes the results of runs: ``tests/chaos/results``."""

from pathlib import Path

import msgspec

from tests.chaos.scenario import Result

RESULTS = Path(__file__).parent / "results"
LAB_RESULTS = RESULTS / "lab"


class Runs(msgspec.Struct):
    """Results of one scenario, or of stock Faust."""

    command: str
    runs: list[Result]


class Mutants(msgspec.Struct):
    """For each mutant one run without and one with it."""

    command: str
    runs: dict[str, list[Result]]


def runs_in(file: Path) -> list[Result]:
    """Read the results of a scenario; none without a file."""
    return msgspec.json.decode(file.read_bytes(), type=Runs).runs if file.exists() else []


def mutants_in(file: Path) -> dict[str, list[Result]]:
    """Read the results of the mutants."""
    return msgspec.json.decode(file.read_bytes(), type=Mutants).runs if file.exists() else {}


def write(file: Path, content: Runs | Mutants) -> None:
    """Replace the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
