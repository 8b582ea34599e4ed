"""Maven coordinates, and the path of a jar in a cache."""

from pathlib import Path
from typing import Self

import msgspec


class Coordinate(msgspec.Struct, frozen=True, order=True):
    """Group, artifact and version; an archive that is not a jar also has a classifier and a suffix."""

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
        """Return the path in a cache with Maven's repository layout."""
        folder = cache.joinpath(*self.group.split("."), self.artifact, self.version)
        classifier = f"-{self.classifier}" if self.classifier else ""
        return folder / f"{self.artifact}-{self.version}{classifier}.{self.suffix}"
