"""M2: a chunk is acknowledged, and so committed, when it is queued."""

from typing import Any

from app.streaming.execution.batching import ChunkBatch, ChunkQueue
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_put = ChunkQueue.put


def put(queue: ChunkQueue, event: Any) -> None:
    """Acknowledge, then queue."""
    event.ack()
    _put(queue, event)


sabotage(ChunkQueue, "put", put)
sabotage(ChunkBatch, "acknowledge", lambda _: None)
