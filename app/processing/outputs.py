"""A computed chunk, and where its outputs go."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol, TypeVar

from app.adapters.kafka.records import Output


class OutTopics(NamedTuple):
    """Where a worker writes; a role leaves out what it does not write."""

    decisions: str = ""
    alerts: str = ""
    dead_letters: str = ""
    changelog: str = ""
    activity: str = ""
    notifications: str = ""
    labels: str = ""


class ComputedChunk(Protocol):
    """A chunk after step 1."""

    @property
    def partition(self) -> int:
        """Of the source, of the changelog and of the store."""
        ...

    @property
    def profiles(self) -> Mapping[bytes, bytes]:
        """What the chunk changed in the table."""
        ...

    def outputs(self, topics: OutTopics) -> Iterable[Output]:
        """What step 2 sends; a topic's partition comes once."""
        ...


ComputedChunkT = TypeVar("ComputedChunkT", bound=ComputedChunk)
