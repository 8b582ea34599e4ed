"""Watches for partitions that stopped at records that cannot be read, and resumes them where an operator has ordered it."""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted

from app.adapters.kafka.record_batches.contained_fetch import resume_stopped, unreadable
from app.adapters.topic_records.skips import StopReview, remedy
from app.metrics import Metrics
from app.streaming.monitoring.health import Health, PartitionNames

CHECK_SECONDS = 1.0
ANSWER_SECONDS = 5.0

_log = structlog.get_logger("unreadable")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class ClientThread(Protocol):
    """The thread of a Kafka client."""

    thread_loop: asyncio.AbstractEventLoop

    def _ensure_consumer(self) -> AIOKafkaConsumer: ...


class ThreadedConsumer(Protocol):
    """The part of the chunk consumer that is used here."""

    @property
    def _thread(self) -> ClientThread: ...


class UnreadableProbe:
    """Reports stopped partitions to the health and the metrics every CHECK_SECONDS; ``review`` decides where they resume."""

    def __init__(self, health: Health, metrics: Metrics, names: PartitionNames, review: StopReview) -> None:
        self._health = health
        self._metrics = metrics
        self._names = names
        self._review = review

    async def run(self, consumer: Callable[[], ThreadedConsumer]) -> None:
        """Run until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self.check(consumer())
            except (KafkaError, TimeoutError, ConsumerNotStarted):
                continue  # a rebalance is in progress, or the brokers do not answer
            except Exception as error:  # noqa: BLE001  # an error inside the client would end this task unseen
                _log.warning("unreadable_records_unknown", cause=type(error).__name__)

    async def check(self, consumer: ThreadedConsumer) -> None:
        """Report once, and resume the partitions that are due."""
        stops = await _in_thread(consumer, unreadable)
        reasons = {self._names.of(*tp): remedy(tp, stop) for tp, stop in stops.items()}
        self._health.unreadable(reasons)
        self._metrics.gauge("unreadable_partitions", len(stops))
        for tp, order in (await self._review.review(stops)).items():
            stop, behind = stops[tp], None if order is None else order.next_offset
            resumed = await _in_thread(consumer, resume_stopped, tp, stop, behind)
            if resumed and behind is not None:
                self._metrics.count("skipped_records_total", behind - stop.offset)


async def _in_thread(
    consumer: ThreadedConsumer,
    work: Callable[Concatenate[AIOKafkaConsumer, Arguments], Result],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Result:
    """Call ``work`` with the Kafka client in its own thread."""
    thread = consumer._thread  # noqa: SLF001  # as the chunk thread fetches: past Faust's method queue

    async def call() -> Result:
        return work(thread._ensure_consumer(), *arguments, **named)  # noqa: SLF001  # as above

    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), thread.thread_loop))
