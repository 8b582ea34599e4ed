"""What scoring knows of the entities of its transactions: from memory, from Redis, or nothing."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import structlog
from numpy.typing import NDArray

from app.adapters.activity_redis import ActivityReader
from app.adapters.redis_client import Client, connect
from app.domain.transaction import Transaction
from app.errors import StateCorrupt
from app.features.delayed import Delayed, absent, keys, told
from app.features.entities import ENTITIES
from app.features.window import HOUR_MS
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.activities import Activities, Looked

_log = structlog.get_logger("entities")


class EntityView:
    """One scoring worker's. Raises ConfigurationError when a file that the settings name cannot be used."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        redis, reader = settings.redis, None
        self._client: Client | None = None
        if redis.url:
            self._client = connect(redis, redis.connect_timeout_seconds)
            reader = ActivityReader(self._client, redis.key_prefix, settings.topics.partitions)
        else:
            _log.warning("entities_absent", why="FRAUDSTREAM_REDIS_URL is not set: docs/entities.md")
        self._activities = Activities(reader, redis, metrics, time.monotonic)

    def look(self, transactions: Sequence[Transaction], now_ms: int) -> Looked:
        """What memory knows. An answer serves until its hour ends; a transaction that is ahead of the clock does not
        begin one.
        """
        newest_ms = max((transaction.event_time for transaction in transactions), default=0)
        return self._activities.look(list(keys(transactions)), min(newest_ms, now_ms) // HOUR_MS)

    async def ask(self, looked: Looked) -> dict[str, bytes]:
        """See Activities.ask."""
        return await self._activities.ask(looked)

    def view(self, transactions: Sequence[Transaction], activities: dict[str, bytes]) -> Delayed:
        """The features. What stands in Redis and is no activity stops nothing."""
        try:
            return told_where_read(transactions, activities)
        except StateCorrupt as error:
            _log.error("redis_holds_other_things", why=str(error))  # its trace says nothing more
            return absent(transactions)

    def forget(self) -> None:
        """Partitions move."""
        self._activities.forget()

    async def stop(self) -> None:
        await self._activities.stop()
        if self._client is not None:
            await self._client.aclose()


def told_where_read(
    transactions: Sequence[Transaction],
    activities: Mapping[str, bytes],
) -> Delayed:
    """As ``told``; but a key that is not among the activities could not be read, and its transactions are absent."""
    if not activities:
        return absent(transactions)
    known, missing = told(transactions, activities), unread(transactions, activities)
    if not missing.any():
        return known
    nothing, which = absent(transactions), missing[:, np.newaxis]
    return Delayed(
        np.where(which, nothing.features, known.features),
        np.where(which, nothing.first_seen_ms, known.first_seen_ms),
        np.where(which, nothing.evicted_ms, known.evicted_ms),
        missing,
    )


def unread(transactions: Sequence[Transaction], activities: Mapping[str, bytes]) -> NDArray[np.bool_]:
    """Shape (transactions,): of which at least one entity is not among the activities."""
    found = np.zeros(len(transactions), np.bool_)
    for entity in ENTITIES:
        values = [getattr(transaction, entity.field) for transaction in transactions]
        missing = {value for value in set(values) - {None} if entity.key(value) not in activities}
        if missing:
            found |= [value in missing for value in values]
    return found
