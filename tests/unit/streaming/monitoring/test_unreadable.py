"""Partitions stopped at unreadable records: reported at once, fetched again at intervals, passed when an order covers them."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState

from app.adapters.kafka.record_batches.batch_format import Stop
from app.adapters.kafka.record_batches.contained_fetch import _stops
from app.adapters.observability.prometheus import PrometheusMetrics
from app.adapters.topic_records.skips import RETRY_SECONDS, StopReview
from app.domain.control import SkipOrder
from app.errors import ConfigurationError
from app.streaming.monitoring.health import Health, PartitionNames
from app.streaming.monitoring.unreadable import UnreadableProbe
from tests.unit.clock import Clock

TP = TopicPartition("payments", 3)
STOP = Stop(17, 20, "the batch has a wrong checksum")
ORDER = SkipOrder(
    topic="payments",
    topic_id="a1",
    partition=3,
    offset=17,
    next_offset=20,
    why="",
    reason="disk",
    ordered_by="anna@ops",
    ordered_at=1,
)


class Client:
    """The Kafka client of a consumer, with one stopped partition; stands in for Faust's thread as well."""

    def __init__(self) -> None:
        self._subscription = SubscriptionState(asyncio.get_running_loop())
        self._subscription.assign_from_user([TP])
        subscription = self._subscription.subscription
        assert subscription is not None
        self.state = subscription.assignment.state_value(TP)
        self.stops = _stops(subscription.assignment)
        self._thread = self
        self.thread_loop = asyncio.get_running_loop()

    def stop(self) -> None:
        self.state.seek(STOP.offset)
        self.state.pause()
        self.stops[TP] = STOP

    def seek(self, tp: TopicPartition, offset: int) -> None:
        assert tp == TP
        self.state.seek(offset)

    def resume(self, tp: TopicPartition) -> None:
        assert tp == TP
        self.state.resume()

    def _ensure_consumer(self) -> "Client":
        return self


class Watched(NamedTuple):
    client: Client
    probe: UnreadableProbe
    health: Health
    metrics: PrometheusMetrics
    orders: list[SkipOrder]
    clock: Clock

    async def check(self) -> None:
        await self.probe.check(self.client)

    def figure(self, name: str) -> list[str]:
        page = self.metrics.page("").body.decode()
        return [line for line in page.splitlines() if line.startswith(f"fraudstream_{name} ")]


@pytest.fixture
async def watched() -> Watched:
    clock, orders, metrics = Clock(), list[SkipOrder](), PrometheusMetrics()
    health = Health(60.0, clock)
    health.started()
    health.assigned()
    health.restored(2)

    async def read_orders() -> Collection[SkipOrder]:
        return orders

    def topic_ids() -> Mapping[str, str]:
        return {"payments": "a1"}

    review = StopReview(topic_ids, read_orders, clock)
    probe = UnreadableProbe(health, metrics, PartitionNames("payments"), review)
    return Watched(Client(), probe, health, metrics, orders, clock)


async def test_a_stopped_partition_is_named_and_fetched_again_at_intervals(watched: Watched) -> None:
    watched.client.stop()
    await watched.check()
    verdict = watched.health.readiness()
    assert not verdict.good
    assert verdict.why.startswith(
        "partition 3 is stopped: payments-3 cannot be read from offset 17: the batch has"
    )
    assert "`fraudstream dlq skip payments 3 17 --reason TEXT`" in verdict.why
    assert watched.figure("unreadable_partitions") == ["fraudstream_unreadable_partitions 1.0"]
    assert (watched.client.state.paused, watched.client.state.position) == (False, 17)

    watched.client.state.pause()
    await watched.check()
    assert watched.client.state.paused
    watched.clock.seconds += RETRY_SECONDS + 1
    await watched.check()
    assert not watched.client.state.paused


async def test_an_order_passes_the_records_and_is_counted(watched: Watched) -> None:
    watched.orders.append(ORDER)
    watched.client.stop()
    await watched.check()
    assert (watched.client.state.paused, watched.client.state.position) == (False, 20)
    await watched.check()
    assert watched.health.readiness().good
    assert watched.figure("unreadable_partitions") == ["fraudstream_unreadable_partitions 0.0"]
    assert watched.figure("skipped_records_total") == ["fraudstream_skipped_records_total 3.0"]


@pytest.mark.parametrize(
    "other",
    [
        {"topic_id": "b2"},
        {"topic": "other"},
        {"partition": 2},
        {"offset": 18},
        {"offset": 10, "next_offset": 17},
    ],
)
async def test_an_order_for_other_records_passes_nothing(watched: Watched, other: dict[str, Any]) -> None:
    fields = {name: getattr(ORDER, name) for name in ORDER.__struct_fields__}
    watched.orders.append(SkipOrder(**fields | other))
    watched.client.stop()
    await watched.check()
    assert watched.client.state.position == 17


async def test_a_stopped_partition_is_no_stall(watched: Watched) -> None:
    watched.client.stop()
    watched.health.lag({3: 100})
    await watched.check()
    watched.clock.seconds += 1_000
    assert watched.health.stall() is None
    watched.health.unreadable({})
    watched.clock.seconds += 1_000
    assert watched.health.stall() is not None


async def test_orders_that_cannot_be_read_change_nothing() -> None:
    async def read_orders() -> Collection[SkipOrder]:
        raise ConfigurationError("no broker answers")

    review = StopReview(dict, read_orders, Clock())
    assert await review.review({TP: STOP}) == {TP: None}
