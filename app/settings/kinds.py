"""Types and names that the fields of several groups share."""

from typing import Annotated

from msgspec import Meta

PREFIX = "FRAUDSTREAM_"
MIB = 1024 * 1024

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Hours = Annotated[float, Meta(gt=0)]


def variable(group: str, field: str) -> str:
    """Return the environment name of a setting, such as ``FRAUDSTREAM_KAFKA_COMPRESSION``."""
    return f"{PREFIX}{group}_{field}".upper()
