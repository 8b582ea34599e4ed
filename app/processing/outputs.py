"""A computed chunk, and the records that it writes to logical streams."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from app.adapters.kafka.records import OutRecord
from app.settings import Stream


class Output(NamedTuple):
    """Records for one partition of a stream's topic, in order."""

    stream: Stream
    partition: int
    records: Sequence[OutRecord]


class ComputedChunk(Protocol):
    """A chunk after step 1 of the order of writes."""

    @property
    def partition(self) -> int:
        """Of the source topic, the changelog and the store."""
        ...

    @property
    def last_offset(self) -> int:
        """Of the chunk's records."""
        ...

    @property
    def records(self) -> int:
        """Number of the chunk's records."""
        ...

    @property
    def states(self) -> Mapping[bytes, bytes]:
        """Encoded states that the chunk changed in the table, by key."""
        ...

    def outputs(self) -> Iterable[Output]:
        """The records that step 2 sends; each partition of a stream occurs once."""
        ...


ComputedChunkT = TypeVar("ComputedChunkT", bound=ComputedChunk)
