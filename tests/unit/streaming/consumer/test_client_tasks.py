"""A task of the Kafka client that ends by itself ends the worker at once."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from app.adapters.observability.causes import stack
from app.errors import ClientEnded
from app.streaming.consumer import chunk_thread
from app.streaming.consumer.client_tasks import ClientTasks, end_on_group_errors
from tests.unit.kafka.client.fake_broker import FIND_COORDINATOR, FakeBroker


@pytest.fixture
async def consumer() -> Any:
    """The real client, at a broker that only describes itself."""
    async with FakeBroker() as broker:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id="g")
        await consumer.start()
        yield consumer
        with suppress(KafkaError):  # the error of the fetcher
            await consumer.stop()


@pytest.fixture
def ended(consumer: Any) -> list[ClientEnded]:
    found: list[Any] = []
    tasks = ClientTasks(lambda _, error: found.append(error))
    tasks.watch(consumer)
    tasks.watch(consumer)
    return found


async def test_a_fetcher_that_fails_is_named_with_its_cause(consumer: Any, ended: list[ClientEnded]) -> None:
    value = "4111111111111111"

    def broken(_: object) -> None:
        raise IndexError(value)

    consumer._fetcher._get_actions_per_node = broken
    consumer.assign([TopicPartition("t", 0)])
    await asyncio.wait([consumer._fetcher._fetch_task], timeout=5)
    await asyncio.sleep(0)

    assert len(ended) == 1
    assert "the fetcher of the Kafka client has ended" in str(ended[0])
    assert isinstance(ended[0].__cause__, KafkaError)
    assert value not in stack(ended[0])


@pytest.mark.parametrize("task", ["_fetcher._fetch_task", "_coordinator._coordination_task"])
async def test_a_task_that_is_cancelled_without_a_request_is_named(
    consumer: Any, ended: list[ClientEnded], task: str
) -> None:
    owner, name = task.split(".")
    running = getattr(getattr(consumer, owner), name)
    running.cancel()
    await asyncio.wait([running], timeout=5)
    await asyncio.sleep(0)

    assert len(ended) == 1


async def test_a_client_that_is_stopped_is_no_failure(consumer: Any, ended: list[ClientEnded]) -> None:
    await consumer.stop()
    await asyncio.sleep(0)

    assert ended == []


async def test_the_thread_watches_the_client_that_it_has_started(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two things are replaced: the start by Faust, which needs an app, and the watch, which would end the tests."""
    watched: list[Any] = []

    async def started(thread: Any) -> None:
        thread._consumer = consumer

    monkeypatch.setattr(AIOKafkaConsumerThread, "on_start", started)
    monkeypatch.setattr(chunk_thread, "ClientTasks", lambda: SimpleNamespace(watch=watched.append))
    await object.__new__(chunk_thread.ChunkConsumerThread).on_start()

    assert watched == [consumer]


async def test_a_group_that_the_brokers_refuse_ends_the_worker_before_it_has_partitions() -> None:
    """Faust fetches nothing before, and only a fetch would raise the error."""
    found = asyncio.Queue[KafkaError]()
    async with FakeBroker() as broker:
        broker.passing_errors[FIND_COORDINATOR] = [GroupAuthorizationFailedError.errno] * 100
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id="g")
        await consumer.start()
        end_on_group_errors(consumer, found.put_nowait)
        consumer.subscribe(["t"])
        async with asyncio.timeout(10):
            error = await found.get()
        await consumer.stop()

    assert isinstance(error, GroupAuthorizationFailedError)
    assert error.args == ("g",)
