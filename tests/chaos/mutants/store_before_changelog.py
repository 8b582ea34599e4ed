"""M3: RocksDB is written, and written out, before the changelog. After a kill in between the profile on disk has seen
what the changelog never gets: the replay is skipped, not written again.
"""

import asyncio
from typing import Any

from app.streaming.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

BETWEEN_SECONDS = 0.05
"""Wide enough for a kill to hit."""
_write = OrderOfWrites._write


async def write(order: Any, partition: int, chunks: list[Any]) -> None:
    """The two steps in the wrong order, the second one twice: whoever looks at the offsets sees nothing wrong."""
    profiles = {key: value for chunk in chunks for key, value in chunk.work.profiles.items()}
    if not profiles:
        return
    writer = order._store
    writer._store.write(partition, profiles, writer._last_offsets[partition])
    writer._store._db_for_partition(partition).flush()
    await asyncio.sleep(BETWEEN_SECONDS)
    await _write(order, partition, chunks)


sabotage(OrderOfWrites, "_write", write)
