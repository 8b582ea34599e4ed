"""Types of values that others write into records: each has a bound, so that no record can hold more than its readers handle."""

from typing import Annotated

from msgspec import Meta

LATEST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, the last date with a four-digit year."""
MOST_TEXT = 1_000

ModelName = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", max_length=64)]
"""Part of the path of a bundle."""
Digest = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
"""Of a worker, a host, a topic or an operator."""
Text = Annotated[str, Meta(max_length=MOST_TEXT)]
"""Why something happened; see ``cut``."""
Moment = Annotated[int, Meta(ge=0, le=LATEST_MS)]
"""Milliseconds since the epoch."""
Offset = Annotated[int, Meta(ge=-1, le=2**63 - 1)]
"""Of a record; -1 before the first one."""
Partition = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


def cut(text: str) -> str:
    """The beginning of a text, so that it is a Text.

    >>> len(cut(2 * MOST_TEXT * "a")), cut("why")
    (1000, 'why')
    """
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
