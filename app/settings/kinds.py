"""What the fields of several groups have in common."""

from typing import Annotated

from msgspec import Meta

PREFIX = "FRAUDSTREAM_"

Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Hours = Annotated[float, Meta(gt=0)]


def variable(group: str, field: str) -> str:
    """A setting's name in the environment."""
    return f"{PREFIX}{group}_{field}".upper()
