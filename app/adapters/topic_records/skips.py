"""Unreadable records that an operator has ordered to leave out (`fraudstream dlq skip`): the orders are on the control topic."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.adapters.kafka.record_batches.batch_format import Stop
from app.adapters.topic_records.control_reader import read_orders
from app.domain.control import SkipOrder
from app.errors import FraudstreamError
from app.settings import Settings

RETRY_SECONDS = 5.0
"""Interval at which a stopped partition is fetched again, and orders are looked for."""

_log = structlog.get_logger("unreadable")


async def read_skips(settings: Settings) -> Collection[SkipOrder]:
    """The orders up to now. Raises ConfigurationError when the control topic does not exist."""
    return (await read_orders(settings)).skips.values()


def remedy(tp: TopicPartition, stop: Stop) -> str:
    """What is wrong, and what the operator can do."""
    return (
        f"{tp.topic}-{tp.partition} cannot be read from offset {stop.offset}: {stop.why}. If no replica has a sound copy, "
        f"`fraudstream dlq skip {tp.topic} {tp.partition} {stop.offset} --reason TEXT` leaves out what cannot be read"
    )


class StopReview:
    """Decides where partitions that stopped at unreadable records resume. Logs each stop once."""

    def __init__(
        self,
        topic_ids: Callable[[], Mapping[str, str]],
        read_orders: Callable[[], Awaitable[Collection[SkipOrder]]],
        clock: Callable[[], float],
    ) -> None:
        self._topic_ids = topic_ids
        self._read_orders = read_orders
        self._clock = clock
        self._known: dict[TopicPartition, Stop] = {}
        self._due = 0.0

    async def review(self, stops: Mapping[TopicPartition, Stop]) -> dict[TopicPartition, SkipOrder | None]:
        """The partitions to fetch again now: behind the records of an order, or None at the same offset. At intervals."""
        new = {tp: stop for tp, stop in stops.items() if self._known.get(tp) != stop}
        self._known = dict(stops)
        for tp, stop in new.items():
            _log.error("records_unreadable", error=remedy(tp, stop))
        if not stops or (not new and self._clock() < self._due):
            return {}
        self._due = self._clock() + RETRY_SECONDS
        orders = await self._orders()
        return {tp: self._order_for(tp, stop, orders) for tp, stop in stops.items()}

    async def _orders(self) -> Collection[SkipOrder]:
        try:
            return await self._read_orders()
        except (FraudstreamError, KafkaError, OSError) as error:
            _log.warning("control_topic_unread", cause=str(error))
            return ()

    def _order_for(self, tp: Any, stop: Stop, orders: Collection[SkipOrder]) -> SkipOrder | None:
        topic_id = self._topic_ids().get(tp.topic, "")
        for order in orders:
            if order.covers(topic_id, tp.topic, tp.partition, stop.offset):
                _log.warning(
                    "records_skipped",
                    records=f"{tp.topic}-{tp.partition}, offset {stop.offset} to {order.next_offset - 1}",
                    ordered_by=order.ordered_by,
                    reason=order.reason,
                )
                return order
        return None
