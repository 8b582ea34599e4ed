"""A schema as the registry stores it."""

from typing import NamedTuple

AVRO, PROTOBUF, JSON = "AVRO", "PROTOBUF", "JSON"
"""The registry's names of schema types."""


class WriterSchema(NamedTuple):
    """The schema that a value was written with."""

    kind: str
    text: str
    references: tuple[str, ...] = ()
    """Texts of the schemas that it references, each after the ones that it references itself."""

    @property
    def size(self) -> int:
        """Characters of all its texts."""
        return len(self.text) + sum(map(len, self.references))
