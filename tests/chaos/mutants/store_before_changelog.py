"""M3: RocksDB is written and flushed before the changelog. After a kill in between, the profile on disk has applied a
record that never reaches the changelog: read again, the record counts as applied and is skipped.
"""

import asyncio
from typing import Any

from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

BETWEEN_SECONDS = 0.05
"""Long enough for a kill to fall into it."""
_write = OrderOfWrites._write


async def write(order: Any, chunks: list[Any]) -> None:
    """Swap the two steps, and write RocksDB again after the changelog, so that offsets look right."""
    writer = order._store
    for chunk in chunks:
        partition = chunk.computed.partition
        writer._store.write(partition, chunk.computed.states, writer._last_offsets[partition])
        writer._store._db_for_partition(partition).flush()
    await asyncio.sleep(BETWEEN_SECONDS)
    await _write(order, chunks)


sabotage(OrderOfWrites, "_write", write)
