"""The records that the brokers hold and that this worker has not fetched, as the brokers report them.

The consumer's own figure is as old as its last fetch, and the probe looks for a consumer that has stopped fetching.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from app.streaming.monitoring.health import PartitionName, PartitionNames

ANSWER_SECONDS = 5.0
"""An idle consumer's fetch occupies the connection for 1.5 s, and the request waits behind it."""

_log = structlog.get_logger("lag")


async def unfetched(consumer: Any, partition_names: PartitionNames) -> dict[PartitionName, int]:
    """The number of records after the client's read position, by assigned partition of the named topics.

    The committed offset would not do: a producer's transactions leave markers in the log that no fetch returns.
    """
    thread = consumer._thread  # noqa: SLF001  # as ChunkThread fetches: past the method queue
    asking = _unfetched(thread._ensure_consumer(), partition_names)  # noqa: SLF001
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, thread.thread_loop))


async def _unfetched(client: Any, partition_names: PartitionNames) -> dict[PartitionName, int]:
    assigned = [partition for partition in client.assignment() if partition.topic in partition_names.topics]
    ends = await client.end_offsets(assigned) if assigned else {}
    return {
        partition_names.of(tp.topic, tp.partition): end - await client.position(tp)
        for tp, end in ends.items()
    }


class LagProbe:
    """Requests the lag every ``interval_seconds`` and reports it to ``on_lag``; partitions of unknown lag are left out."""

    def __init__(
        self,
        on_lag: Callable[[Mapping[PartitionName, int]], None],
        partition_names: PartitionNames,
        interval_seconds: float,
    ) -> None:
        self._on_lag = on_lag
        self._partition_names = partition_names
        self._interval_seconds = interval_seconds

    async def run(self, consumer: Callable[[], Any]) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            self._on_lag(await self._request(consumer()))

    async def _request(self, consumer: Any) -> dict[PartitionName, int]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await unfetched(consumer, self._partition_names)
        except (KafkaError, TimeoutError, ConsumerNotStarted):
            return {}  # unknown: the brokers do not answer, or a rebalance is in progress
        except Exception as error:  # noqa: BLE001  # an error inside the client would end this task unseen, and the last lag would be reported for ever
            _log.warning("lag_unknown", cause=type(error).__name__)
            return {}
