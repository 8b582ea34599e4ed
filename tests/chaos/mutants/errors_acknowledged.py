"""M6: Faust's own way with an error: it is logged, the message is acknowledged, the agent goes on."""

from typing import Any

import structlog

from app.errors import SendFailed
from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_publish = OrderOfWrites._publish


async def publish(order: Any, chunks: list[Any]) -> None:
    """What cannot be sent is given up."""
    try:
        await _publish(order, chunks)
    except SendFailed:
        structlog.get_logger("mutant").exception("given up")


sabotage(OrderOfWrites, "_publish", publish)
