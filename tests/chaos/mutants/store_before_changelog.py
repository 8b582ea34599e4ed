"""M3: RocksDB is written, and written out, before the changelog. After a kill in between the profile on disk has seen
what the changelog never gets: the replay is skipped, not written again.
"""

import asyncio
from typing import Any

from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

BETWEEN_SECONDS = 0.05
"""Wide enough for a kill to hit."""
_write = OrderOfWrites._write


async def write(order: Any, chunks: list[Any]) -> None:
    """The two steps in the wrong order, the second one twice: whoever looks at the offsets sees nothing wrong."""
    writer = order._store
    for chunk in chunks:
        partition = chunk.computed.partition
        writer._store.write(partition, chunk.computed.states, writer._last_offsets[partition])
        writer._store._db_for_partition(partition).flush()
    await asyncio.sleep(BETWEEN_SECONDS)
    await _write(order, chunks)


sabotage(OrderOfWrites, "_write", write)
