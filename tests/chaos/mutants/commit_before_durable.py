"""M2: a chunk is acknowledged, and so committed, when it is taken up."""

from typing import Any

from app.streaming.execution.batching import ChunkBatch, ChunkQueue
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_put = ChunkQueue.put


def put(waiting: ChunkQueue, event: Any) -> None:
    """As soon as it is there."""
    event.ack()
    _put(waiting, event)


sabotage(ChunkQueue, "put", put)
sabotage(ChunkBatch, "acknowledge", lambda _: None)
