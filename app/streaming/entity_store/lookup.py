"""What is known of a chunk's entities, asked of Redis without ever waiting long for it.

An answer that does not come is no error: the features are absent, the decision says so. After some failures in a row
Redis is left alone for a while, so that one that hangs costs nothing. Then a chunk asks again: nobody has to help.
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
"""So often a deadline is given again when this process, not Redis, was late."""

_log = structlog.get_logger("redis")


class Reader(Protocol):
    """The states of those entities of which something can be said; raises one of FAILURES."""

    async def read(self, entities: Sequence[str]) -> dict[str, bytes]: ...


class Looked(NamedTuple):
    """What memory knows."""

    known: dict[str, bytes]
    missing: list[str]
    """To be asked of Redis; empty as well while that makes no sense."""
    hour: int


class Activities:
    """One scoring worker's view of the entities. ``reader`` is None where there is no Redis."""

    def __init__(
        self, reader: Reader | None, settings: RedisSettings, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._cache = ActivityCache(settings.cache_entries, settings.cache_seconds)
        self._breaker = CircuitBreaker(settings.breaker_failures, settings.breaker_pause_seconds)
        self._asking: set[asyncio.Task[dict[str, bytes]]] = set()

    def look(self, entities: Sequence[str], hour: int) -> Looked:
        """Without waiting. ``hour`` is the newest hour of event time that the answer is for."""
        now = self._clock()
        known = self._cache.take(entities, hour, now)
        self._metrics.count("entity_states_total", len(known), result="cached")
        missing = [entity for entity in entities if entity not in known] if len(known) < len(entities) else []
        if missing and (self._reader is None or not self._breaker.allows(now)):
            self._metrics.count("entity_states_total", len(missing), result="absent")
            missing = []
        return Looked(known, missing, hour)

    async def ask(self, looked: Looked) -> dict[str, bytes]:
        """All that is known within the deadline. An answer that comes later is kept for the next chunk."""
        began = self._clock()
        if self._reader is None:
            return looked.known
        asking = asyncio.create_task(self._ask(self._reader, looked.missing, looked.hour))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        if not await self._in_time(asking):
            self._failed("late", f"no answer within {self._settings.read_deadline_seconds:g} s")
            asking.add_done_callback(self._heard_late)
            found = {}
        else:
            found = self._heard(asking)
        self._metrics.observe("entity_read_seconds", self._clock() - began)
        self._metrics.count("entity_states_total", len(found), result="read")
        self._metrics.count("entity_states_total", len(looked.missing) - len(found), result="absent")
        return looked.known | found

    def forget(self) -> None:
        """Partitions move: what others ask may be older than what is known elsewhere."""
        self._cache.clear()

    async def stop(self) -> None:
        """Nothing is asked any more."""
        for asking in list(self._asking):
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, reader: Reader, entities: Sequence[str], hour: int) -> dict[str, bytes]:
        found = await reader.read(entities)
        self._cache.put(found, hour, self._clock())
        return found

    async def _in_time(self, asking: asyncio.Task[dict[str, bytes]]) -> bool:
        """While this process computes it hears nothing: a timer that rings late says nothing about Redis."""
        deadline_seconds = self._settings.read_deadline_seconds
        for _ in range(STALLS):
            began = self._clock()
            done, _pending = await asyncio.wait({asking}, timeout=deadline_seconds)
            if done or self._clock() - began < 1.5 * deadline_seconds:
                return bool(done)
        return False

    def _heard(self, asking: asyncio.Task[dict[str, bytes]]) -> dict[str, bytes]:
        error = asking.exception()
        if error is None:
            if self._breaker.is_open:
                _log.info("redis_is_back")
            self._breaker.succeeded()
            self._metrics.gauge("redis_breaker_open", 0)
            self._metrics.count("redis_reads_total", result="answered")
            return asking.result()
        if not isinstance(error, FAILURES):
            raise error
        self._failed("failed", explain(self._settings, error))
        return {}

    def _heard_late(self, asking: asyncio.Task[dict[str, bytes]]) -> None:
        """It failed already for who asked; here only what nobody expects is worth a word."""
        if not asking.cancelled() and (error := asking.exception()) and not isinstance(error, FAILURES):
            _log.error("redis_answer", cause=type(error).__name__)

    def _failed(self, result: str, why: str) -> None:
        was_open = self._breaker.is_open
        self._breaker.failed(self._clock())
        self._metrics.count("redis_reads_total", result=result)
        if self._breaker.is_open and not was_open:
            self._metrics.gauge("redis_breaker_open", 1)
            _log.error("redis_is_away", why=why)
