"""M6: errors are handled as in Faust: logged, the message acknowledged, the agent continued."""

from typing import Any

import structlog

from app.errors import SendFailed
from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

_publish = OrderOfWrites._publish


async def publish(order: Any, chunks: list[Any]) -> None:
    """Ignore a failed send."""
    try:
        await _publish(order, chunks)
    except SendFailed:
        structlog.get_logger("mutant").exception("given up")


sabotage(OrderOfWrites, "_publish", publish)
