"""What runs came to, as files: ``tests/chaos/results``."""

from pathlib import Path

import msgspec

from tests.chaos.scenario import Result

RESULTS = Path(__file__).parent / "results"


class Runs(msgspec.Struct):
    """Of one scenario, or of stock Faust."""

    command: str
    runs: list[Result]


class Mutants(msgspec.Struct):
    """Of each a run without it and one with it."""

    command: str
    runs: dict[str, list[Result]]


def runs_in(file: Path) -> list[Result]:
    """No runs where there is no such file."""
    return msgspec.json.decode(file.read_bytes(), type=Runs).runs if file.exists() else []


def mutants_in(file: Path) -> dict[str, list[Result]]:
    """The same of mutants."""
    return msgspec.json.decode(file.read_bytes(), type=Mutants).runs if file.exists() else {}


def write(file: Path, content: Runs | Mutants) -> None:
    """In place of what was there."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
