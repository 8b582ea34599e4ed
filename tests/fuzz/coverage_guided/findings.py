"""What one process of the fuzzer has found, written to a file that its supervisor reads also when the process was ended."""

import time
from pathlib import Path

import msgspec

_INPUTS = 100
"""Between two writes: libFuzzer ends its process without a word to it."""


class Found(msgspec.Struct):
    """Figures of one process."""

    inputs: int = 0
    outcomes: dict[str, int] = {}
    findings: dict[str, bytes] = {}
    """The first input of each kind of finding."""
    slowest_ms: float = 0.0
    growth_mib: float = 0.0
    """The most memory that one input took."""
    cpu_seconds: float = 0.0


class Notes:
    """Keeps the file up to date."""

    def __init__(self, path: Path) -> None:
        self.found = Found()
        self._path = path

    def outcome(self, name: str, milliseconds: float) -> None:
        """Count one input."""
        self.found.inputs += 1
        self.found.outcomes[name] = self.found.outcomes.get(name, 0) + 1
        self.found.slowest_ms = max(self.found.slowest_ms, round(milliseconds, 1))
        if self.found.inputs % _INPUTS == 0:
            self.write()

    def finding(self, what: str, data: bytes) -> None:
        """Keep the input, unless one of its kind is kept already."""
        if what not in self.found.findings:
            self.found.findings[what] = data
            self.write()

    def write(self) -> None:
        """Replace the file in one step."""
        self.found.cpu_seconds = round(time.process_time(), 1)
        partial = self._path.with_suffix(".part")
        partial.write_bytes(msgspec.json.encode(self.found))
        partial.replace(self._path)


def read(path: Path) -> Found:
    """The figures, or none where the process ended before it wrote any."""
    return msgspec.json.decode(path.read_bytes(), type=Found) if path.exists() else Found()
