"""M4: profiles are durable before decisions and alerts are sent. After a kill in between, the record counts as applied."""

import asyncio
from typing import Any

from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

BETWEEN_SECONDS = 0.05
"""Long enough for a kill to fall into it."""
_publish, _write = OrderOfWrites._publish, OrderOfWrites._write


async def publish(order: Any, chunks: list[Any]) -> None:
    """Write the states first."""
    await _write(order, chunks)
    await asyncio.sleep(BETWEEN_SECONDS)
    await _publish(order, chunks)


async def written_before(*_: object) -> None:
    """Write nothing more."""


sabotage(OrderOfWrites, "_publish", publish)
sabotage(OrderOfWrites, "_write", written_before)
