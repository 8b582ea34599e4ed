"""A jar's published name, and its place in a cache."""

from pathlib import Path
from typing import Self

import msgspec


class Coordinate(msgspec.Struct, frozen=True, order=True):
    """Group, artifact and version."""

    group: str
    artifact: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Self:
        group, artifact, version = text.split(":")
        return cls(group, artifact, version)

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    def path(self, cache: Path) -> Path:
        """Where a cache keeps the jar, in the layout that every tool of that world uses."""
        folder = cache.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"
