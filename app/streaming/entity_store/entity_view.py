"""Entity features of transactions: from states in memory or in Redis; marked as absent if neither has them."""

import time
from collections.abc import Sequence

import structlog

from app.adapters.redis.activity_redis import ActivityReader
from app.adapters.redis.client import Client, connect
from app.features.delayed_features import Delayed, Touched, compute_delayed
from app.features.window import HOUR_MS
from app.metrics import Metrics
from app.settings import Settings
from app.streaming.entity_store.lookup import CachedActivities, EntityLookup

LOG_SECONDS = 60.0

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
        self._metrics = metrics
        self._log_again_at = 0.0
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
        """The entity features. An invalid Redis value is treated as missing: the features of its transactions are absent."""
        found = compute_delayed(about, activities)
        if found.corrupt:
            self._report(found.corrupt)
        return found

    def _report(self, corrupt: Sequence[str]) -> None:
        """Count invalid values; log them at most once in LOG_SECONDS, since every chunk may need the same one."""
        self._metrics.count("entity_states_total", len(corrupt), result="invalid")
        if time.monotonic() >= self._log_again_at:
            self._log_again_at = time.monotonic() + LOG_SECONDS
            # The kinds only: the rest of a key is a value of a transaction.
            kinds = sorted({key.partition(":")[0] for key in corrupt})
            _log.error("redis_value_invalid", entities=len(corrupt), kinds=kinds)

    def clear(self) -> None:
        """See EntityLookup.clear."""
        self._lookup.clear()

    async def stop(self) -> None:
        await self._lookup.stop()
        if self._client is not None:
            await self._client.aclose()
