"""M5: a worker that was paused past its session continues as if nothing had happened, its sends wait without limit,
a second writer of a changelog is not detected, and a restore takes the last version in it, however old.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaProducer

from app.adapters.kafka import batch_producer
from app.streaming.delivery.changelog_guard import ChangelogGuard
from app.streaming.delivery.order_of_writes import OrderOfWrites
from app.streaming.delivery.session_fence import SessionFence
from app.streaming.monitoring.health import Health
from app.streaming.state import restore, tables
from app.worker import app
from tests.chaos.mutants import sabotage

__all__ = ["app"]

IN_FLIGHT_SECONDS = 0.05
"""Long enough for a pause to fall into it."""
_write_in_order = OrderOfWrites._write


async def write_late(order: Any, chunks: list[Any]) -> None:
    """Delay the changelog: outputs are delivered, states are still in memory."""
    await asyncio.sleep(IN_FLIGHT_SECONDS)
    await _write_in_order(order, chunks)


def write(
    writer: ChangelogGuard, partition: int, profiles: Mapping[bytes, bytes], changelog_offset: int
) -> None:
    """Write without checking the offset."""
    writer._store.write(partition, profiles, changelog_offset)


def patient(**options: Any) -> AIOKafkaProducer:
    """Let a producer retry longer than a session, so that it still writes when another owner has begun."""
    return AIOKafkaProducer(**options | {"request_timeout_ms": 120_000})


sabotage(OrderOfWrites, "_write", write_late)
sabotage(SessionFence, "check", lambda _: None)
sabotage(Health, "stall", lambda _: None)
sabotage(ChangelogGuard, "write", write)
sabotage(batch_producer, "AIOKafkaProducer", patient)
sabotage(restore, "newest", lambda records, _: dict(records))
sabotage(tables, "newest", lambda records, _: dict(records))
