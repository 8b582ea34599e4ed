"""The parts of Faust's events and of the chunk consumer that the other modules of a worker use."""

from typing import Protocol

from faust.types import TP, ConsumerMessage

from app.processing.chunk import Chunk


class ChunkEvent(Protocol):
    """One chunk as Faust delivers it to an agent."""

    @property
    def value(self) -> Chunk: ...

    @property
    def message(self) -> ConsumerMessage: ...

    def ack(self) -> object:
        """Acknowledge the chunk: its offset may be committed."""
        ...


class ChunkTracking(Protocol):
    """The part of the chunk consumer that decides what a rebalance waits for. See ChunkConsumer."""

    def is_current(self, chunk: Chunk) -> bool: ...

    def track(self, message: ConsumerMessage) -> None: ...

    def untrack(self, message: ConsumerMessage) -> None: ...


class ChunkFlow(ChunkTracking, Protocol):
    """The part of the chunk consumer that a chunk runner uses. See ChunkConsumer."""

    def pause_partitions(self, tps: set[TP]) -> None: ...

    def resume_partitions(self, tps: set[TP]) -> None: ...
