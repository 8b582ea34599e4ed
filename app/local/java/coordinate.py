"""A jar's published name, and its place in a cache."""

from pathlib import Path
from typing import Self

import msgspec


class Coordinate(msgspec.Struct, frozen=True, order=True):
    """Group, artifact and version; what is no jar has a classifier and another suffix."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    suffix: str = "jar"

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(*text.split(":"))

    def __str__(self) -> str:
        name = f"{self.group}:{self.artifact}:{self.version}"
        return f"{name}:{self.classifier}:{self.suffix}" if self.classifier else name

    def path(self, cache: Path) -> Path:
        """Where a cache keeps the jar, in the layout that every tool of that world uses."""
        folder = cache.joinpath(*self.group.split("."), self.artifact, self.version)
        classifier = f"-{self.classifier}" if self.classifier else ""
        return folder / f"{self.artifact}-{self.version}{classifier}.{self.suffix}"
