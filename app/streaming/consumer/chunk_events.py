"""The parts of Faust's events and of the chunk consumer that the other modules of a worker use.

They are protocols, so that these modules run without Faust: the simulation (tests/simulation) does so.
"""

from typing import Protocol

from app.processing.chunk import Chunk


class ChunkMessage(Protocol):
    """Faust's message that holds a chunk; its offset is that of the chunk's last record."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...


class ChunkEvent(Protocol):
    """One chunk as Faust delivers it to an agent."""

    @property
    def value(self) -> Chunk: ...

    @property
    def message(self) -> ChunkMessage: ...

    def ack(self) -> object:
        """Acknowledge the chunk: its offset may be committed."""
        ...


class ChunkTracking(Protocol):
    """The part of the chunk consumer that decides what a rebalance waits for. See ChunkConsumer."""

    def is_current(self, chunk: Chunk) -> bool: ...

    def track(self, message: ChunkMessage) -> None: ...

    def untrack(self, message: ChunkMessage) -> None: ...


class ChunkFlow(ChunkTracking, Protocol):
    """The part of the chunk consumer that a chunk runner uses. See ChunkConsumer."""

    def pause(self, message: ChunkMessage) -> None: ...

    def resume(self, message: ChunkMessage) -> None: ...
