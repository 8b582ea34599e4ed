"""Entity features of transactions: from states in memory or in Redis; marked as absent if neither has them."""

import time

import structlog

from app.adapters.redis.activity_redis import ActivityReader
from app.adapters.redis.client import Client, connect
from app.errors import StateCorrupt
from app.features.delayed_features import Delayed, Touched, absent, compute_delayed
from app.features.window import HOUR_MS
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.entity_store.lookup import CachedActivities, EntityLookup

_log = structlog.get_logger("entities")


class EntityView:
    """The entity states that one scoring worker reads. Raises ConfigurationError for an unusable certificate or password."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        redis, reader = settings.redis, None
        self._client: Client | None = None
        if redis.url:
            self._client = connect(redis, redis.connect_timeout_seconds)
            reader = ActivityReader(self._client, redis.key_prefix, settings.topics.partitions)
        else:
            _log.warning("entities_absent", why="FRAUDSTREAM_REDIS_URL is not set: docs/data/entities.md")
        self._lookup = EntityLookup(reader, redis, metrics, time.monotonic)

    def look(self, about: Touched, now_ms: int) -> CachedActivities:
        """Look the entities up in memory, without waiting.

        A cached state is used until its hour of event time ends. A transaction with a future time does not begin a new
        hour, or one wrong clock would empty the cache.
        """
        newest_ms = int(about.times_ms.max(initial=0))
        return self._lookup.look(about.keys, min(newest_ms, now_ms) // HOUR_MS)

    async def request(self, found: CachedActivities) -> dict[str, bytes]:
        """See EntityLookup.request."""
        return await self._lookup.request(found)

    def features(self, about: Touched, activities: dict[str, bytes]) -> Delayed:
        """The entity features. An invalid Redis value is treated as missing: all features of the chunk are absent."""
        try:
            return compute_delayed(about, activities)
        except StateCorrupt as error:
            _log.error("redis_value_invalid", why=str(error))  # the traceback would add nothing
            return absent(about)

    def clear(self) -> None:
        """See EntityLookup.clear."""
        self._lookup.clear()

    async def stop(self) -> None:
        await self._lookup.stop()
        if self._client is not None:
            await self._client.aclose()
