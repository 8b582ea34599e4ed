"""A schema as a registry keeps it."""

from typing import NamedTuple

AVRO, PROTOBUF, JSON = "AVRO", "PROTOBUF", "JSON"
"""The registry's names of kinds."""


class WriterSchema(NamedTuple):
    """What a value was written with."""

    kind: str
    text: str
    references: tuple[str, ...] = ()
    """Texts of the schemas that it rests on, each behind those that it rests on itself."""
