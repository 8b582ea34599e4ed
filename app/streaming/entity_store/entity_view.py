"""What scoring knows of the entities of its transactions: from memory, from Redis, or nothing."""

import time

import structlog

from app.adapters.redis.activity_redis import ActivityReader
from app.adapters.redis.client import Client, connect
from app.errors import StateCorrupt
from app.features.delayed_features import Delayed, Touched, absent, compute_delayed
from app.features.window import HOUR_MS
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.entity_store.lookup import Activities, Looked

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
            _log.warning("entities_absent", why="FRAUDSTREAM_REDIS_URL is not set: docs/data/entities.md")
        self._activities = Activities(reader, redis, metrics, time.monotonic)

    def look(self, about: Touched, now_ms: int) -> Looked:
        """What memory knows. An answer serves until its hour ends; a transaction that is ahead of the clock does not
        begin one.
        """
        newest_ms = int(about.times_ms.max(initial=0))
        return self._activities.look(about.keys, min(newest_ms, now_ms) // HOUR_MS)

    async def ask(self, looked: Looked) -> dict[str, bytes]:
        """See Activities.ask."""
        return await self._activities.ask(looked)

    def view(self, about: Touched, activities: dict[str, bytes]) -> Delayed:
        """The features. What stands in Redis and is no activity stops nothing."""
        try:
            return compute_delayed(about, activities)
        except StateCorrupt as error:
            _log.error("redis_holds_other_things", why=str(error))  # its trace says nothing more
            return absent(about)

    def forget(self) -> None:
        """Partitions move."""
        self._activities.forget()

    async def stop(self) -> None:
        await self._activities.stop()
        if self._client is not None:
            await self._client.aclose()
