"""What the brokers hold of our partitions that was not fetched, asked of the brokers themselves.

The consumer's own figure is as old as its last fetch, and a consumer that stopped fetching is what is looked for.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from app.streaming.monitoring.health import Health, Lane, Lanes

ANSWER_SECONDS = 5.0
"""An idle consumer's fetch keeps the connection for 1.5 s, and the question waits behind it."""

_log = structlog.get_logger("lag")


async def unfetched(consumer: Any, lanes: Lanes) -> dict[Lane, int]:
    """Records of each assigned partition of the lanes' topics beyond the place where the client reads on.

    Not beyond what is committed: a producer's transactions leave markers in the log that no fetch returns.
    """
    thread = consumer._thread  # noqa: SLF001  # as the chunked consumer's own fetch: past the method queue
    asking = _unfetched(thread._ensure_consumer(), lanes)  # noqa: SLF001
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, thread.thread_loop))


async def _unfetched(client: Any, lanes: Lanes) -> dict[Lane, int]:
    assigned = [partition for partition in client.assignment() if partition.topic in lanes.topics]
    ends = await client.end_offsets(assigned) if assigned else {}
    return {lanes.of(tp.topic, tp.partition): end - await client.position(tp) for tp, end in ends.items()}


class LagProbe:
    """Asks now and then, and tells the health."""

    def __init__(self, health: Health, lanes: Lanes, interval_seconds: float) -> None:
        self._health = health
        self._lanes = lanes
        self._interval_seconds = interval_seconds

    async def run(self, consumer: Callable[[], Any]) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            self._health.lag(await self._ask(consumer()))

    async def _ask(self, consumer: Any) -> dict[Lane, int]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await unfetched(consumer, self._lanes)
        except (KafkaError, TimeoutError, ConsumerNotStarted):
            return {}  # not known: brokers away, partitions moving
        except Exception as error:  # noqa: BLE001  # a worker that works must not end because it cannot be watched
            _log.warning("lag_unknown", cause=type(error).__name__)
            return {}
