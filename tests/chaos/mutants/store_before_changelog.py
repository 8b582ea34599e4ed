"""M3: RocksDB is written, and written out, before the changelog. After a kill in between the profile on disk has seen
what the changelog never gets: the replay is skipped, not written again.
"""

import asyncio
from typing import Any

from app.adapters.kafka_sender import OutRecord
from app.streaming.order_of_writes import OrderOfWrites
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

BETWEEN_SECONDS = 0.05
"""Wide enough for a kill to hit."""


async def write(order: Any, partition: int, profiles: dict[bytes, bytes], watches: list[Any]) -> None:
    """The two steps in the wrong order."""
    offset = order.last_offsets.get(partition, -1) if hasattr(order, "last_offsets") else -1
    order._store.write(partition, profiles, offset)
    order._store._db_for_partition(partition).flush()
    await asyncio.sleep(BETWEEN_SECONDS)
    records = [OutRecord(key, value) for key, value in profiles.items()]
    sent = await order._sender.send(order._topics.changelog, partition, records)
    order.last_offsets = {**getattr(order, "last_offsets", {}), partition: sent}
    order._store.write(partition, {}, sent)
    for watch in watches:
        watch.lap("changelog")
        watch.lap("store")


sabotage(OrderOfWrites, "_write", write)
