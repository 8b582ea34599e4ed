"""What a policy needs of lists: their entries at the event time of each transaction."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.expressions.cells import Lists


class DatedLists(Protocol):
    """The lists as of one offset of their log; each entry is valid for some event times."""

    def at(self, event_time_ms: int) -> Lists:
        """The lists for one transaction."""
        ...

    def at_each(self, event_times_ms: NDArray[np.int64]) -> Lists:
        """The lists for the rows of a chunk with these event times."""
        ...


class FixedLists:
    """Lists with the same entries at any time; a list without entries is empty."""

    def __init__(self, entries: Mapping[str, frozenset[str]], declared: tuple[str, ...] = ()) -> None:
        self._entries = dict.fromkeys(declared, frozenset[str]()) | dict(entries)

    def at(self, event_time_ms: int) -> Lists:  # noqa: ARG002  # see DatedLists
        return self._entries

    def at_each(self, event_times_ms: NDArray[np.int64]) -> Lists:  # noqa: ARG002  # see DatedLists
        return self._entries
