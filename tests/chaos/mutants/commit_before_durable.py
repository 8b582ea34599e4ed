"""M2: a chunk is acknowledged, and so committed, when it is taken up."""

from typing import Any

from app.streaming.execution.batching import Joined, WaitingChunks
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_put = WaitingChunks.put


def put(waiting: WaitingChunks, event: Any) -> None:
    """As soon as it is there."""
    event.ack()
    _put(waiting, event)


sabotage(WaitingChunks, "put", put)
sabotage(Joined, "acknowledge", lambda _: None)
