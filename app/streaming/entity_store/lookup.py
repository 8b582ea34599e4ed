"""The states of a chunk's entities, from memory or from Redis, within a deadline.

A missing answer is no error: the features are absent, and the decision lists that. After some failures in a row the
circuit breaker opens, and no request is sent for a while: a Redis that hangs delays nothing. The breaker retries by
itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from app.adapters.redis.activity_cache import ActivityCache
from app.adapters.redis.circuit_breaker import CircuitBreaker
from app.adapters.redis.client import FAILURES, explain
from app.metrics import Metrics
from app.settings import RedisSettings

STALLS = 20
"""How often the deadline is extended when this process, not Redis, was late."""

_log = structlog.get_logger("redis")


class Reader(Protocol):
    """Returns the states of entities that are complete in Redis; raises one of FAILURES."""

    async def read(self, entities: Sequence[str]) -> dict[str, bytes]: ...


class CachedActivities(NamedTuple):
    """The states found in memory."""

    cached: dict[str, bytes]
    missing: list[str]
    """Entities to request from Redis; empty while there is no Redis or the breaker is open."""
    hour: int


class EntityLookup:
    """Looks up entity states for one scoring worker. ``reader`` is None if no Redis is configured."""

    def __init__(
        self, reader: Reader | None, settings: RedisSettings, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._cache = ActivityCache(settings.cache_entries, settings.cache_seconds)
        self._breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_pause_seconds)
        self._requests: set[asyncio.Task[dict[str, bytes]]] = set()

    def look(self, entities: Sequence[str], hour: int) -> CachedActivities:
        """Look up in memory, without waiting. ``hour`` is the newest hour of event time that the states are used for."""
        now = self._clock()
        cached = self._cache.take(entities, hour, now)
        self._metrics.count("entity_states_total", len(cached), result="cached")
        missing = (
            [entity for entity in entities if entity not in cached] if len(cached) < len(entities) else []
        )
        if missing and (self._reader is None or not self._breaker.allows(now)):
            self._metrics.count("entity_states_total", len(missing), result="absent")
            missing = []
        return CachedActivities(cached, missing, hour)

    async def request(self, found: CachedActivities) -> dict[str, bytes]:
        """Request the missing states; return all that are there within the deadline.

        A later answer is cached for the next chunk.
        """
        began = self._clock()
        if self._reader is None:
            return found.cached
        request = asyncio.create_task(self._read(self._reader, found.missing, found.hour))
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        if not await self._is_in_time(request):
            self._failed("late", f"no answer within {self._settings.read_deadline_seconds:g} s")
            request.add_done_callback(_log_late_failure)
            states = {}
        else:
            states = self._answer(request)
        self._metrics.observe("entity_read_seconds", self._clock() - began)
        self._metrics.count("entity_states_total", len(states), result="read")
        self._metrics.count("entity_states_total", len(found.missing) - len(states), result="absent")
        return found.cached | states

    def clear(self) -> None:
        """Clear the cache after a rebalance: the partitions' next owner may cache newer states meanwhile."""
        self._cache.clear()

    async def stop(self) -> None:
        """Cancel all requests."""
        for request in list(self._requests):
            request.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)

    async def _read(self, reader: Reader, entities: Sequence[str], hour: int) -> dict[str, bytes]:
        found = await reader.read(entities)
        self._cache.put(found, hour, self._clock())
        return found

    async def _is_in_time(self, request: asyncio.Task[dict[str, bytes]]) -> bool:
        """True if the answer arrives within the deadline.

        While this process computes, it receives nothing. If the timer itself was late, the delay does not count against
        Redis, and the deadline starts again.
        """
        deadline_seconds = self._settings.read_deadline_seconds
        for _ in range(STALLS):
            began = self._clock()
            done, _pending = await asyncio.wait({request}, timeout=deadline_seconds)
            if done or self._clock() - began < 1.5 * deadline_seconds:
                return bool(done)
        return False

    def _answer(self, request: asyncio.Task[dict[str, bytes]]) -> dict[str, bytes]:
        error = request.exception()
        if error is None:
            if self._breaker.is_open:
                _log.info("redis_is_back")
            self._breaker.succeeded()
            self._metrics.gauge("redis_breaker_open", 0)
            self._metrics.count("redis_reads_total", result="answered")
            return request.result()
        if not isinstance(error, FAILURES):
            raise error
        self._failed("failed", explain(self._settings, error))
        return {}

    def _failed(self, result: str, why: str) -> None:
        was_open = self._breaker.is_open
        self._breaker.failed(self._clock())
        self._metrics.count("redis_reads_total", result=result)
        if self._breaker.is_open and not was_open:
            self._metrics.gauge("redis_breaker_open", 1)
            _log.error("redis_is_away", why=why)


def _log_late_failure(request: asyncio.Task[dict[str, bytes]]) -> None:
    """Log an unexpected error of a late request. It counts as a failure already, so an expected one is ignored."""
    if not request.cancelled() and (error := request.exception()) and not isinstance(error, FAILURES):
        _log.error("redis_late_failure", cause=type(error).__name__)
