"""No brokers, no leader, a coordinator that loads: an answer that passes by itself is asked for again."""

import asyncio
import time
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka import group_offsets
from app.adapters.kafka.admin import connect
from app.adapters.kafka.cluster import read_held
from app.adapters.kafka.connection import wait_for_brokers
from app.adapters.kafka.security import client_options
from app.errors import BrokersUnreachable
from tests.unit.kafka.client.fake_broker import (
    COMMITTED,
    DESCRIBE_GROUPS,
    END,
    FIND_COORDINATOR,
    LIST_OFFSETS,
    METADATA,
    OFFSET_FETCH,
    FakeBroker,
)

UNKNOWN_TOPIC, NO_LEADER, NOT_LEADER, TIMED_OUT, LOADING, NO_COORDINATOR, NOT_COORDINATOR = (
    3,
    5,
    6,
    7,
    14,
    15,
    16,
)
NOT_AVAILABLE, UNSTABLE, UNAUTHORIZED = 78, 88, 29
ANY_ID = 1


@pytest.fixture
async def broker() -> Any:
    async with FakeBroker() as broker:
        yield broker


@pytest.mark.parametrize("empty", [1, 3])
async def test_a_command_that_gets_no_brokers_asks_again(broker: FakeBroker, empty: int) -> None:
    broker.answers_without_brokers = empty
    async with connect(broker.address) as admin:
        assert (await admin.topic_ids(["t"])).keys() == {"t"}


async def test_an_answer_without_brokers_on_an_open_connection_is_no_verdict(broker: FakeBroker) -> None:
    async with connect(broker.address) as admin:
        broker.answers_without_brokers = 2
        assert await admin.broker_count() == 1


async def test_brokers_that_vanish_from_an_open_connection_are_found_again(broker: FakeBroker) -> None:
    async with connect(broker.address) as admin:
        port = broker.port
        await broker.stop()
        asking = asyncio.create_task(admin.topic_ids(["t"]))
        await asyncio.sleep(0.5)
        await broker.start(port)

        assert (await asking).keys() == {"t"}


async def test_a_topic_that_passes_an_error_is_asked_for_again(broker: FakeBroker) -> None:
    broker.passing_errors[METADATA] = [0, TIMED_OUT, TIMED_OUT]
    async with connect(broker.address) as admin:
        assert (await admin.topic_ids(["t"])).keys() == {"t"}


async def test_a_coordinator_that_loads_is_asked_again(broker: FakeBroker) -> None:
    """Its answer shows a group without members: a rebuild of the changelog would begin beside running workers."""
    broker.passing_errors = {FIND_COORDINATOR: [NO_COORDINATOR], DESCRIBE_GROUPS: [LOADING, LOADING]}

    assert await group_offsets.members(broker.address, "g") == 1


@pytest.mark.parametrize("code", [UNKNOWN_TOPIC, NO_LEADER, NOT_LEADER, NOT_AVAILABLE])
async def test_an_offset_of_a_partition_is_asked_for_again_with_its_new_leader(
    broker: FakeBroker, code: int
) -> None:
    """Without the partition the sum would be too small."""
    broker.passing_errors[LIST_OFFSETS] = [code, 0, code]

    assert await read_held(broker.address, "t") == END
    assert broker.asked[METADATA] > 3  # the leaders were asked for again, twice


@pytest.mark.parametrize("of_partitions", [True, False])
@pytest.mark.parametrize("code", [LOADING, NOT_COORDINATOR, UNSTABLE])
async def test_commits_are_asked_for_again(broker: FakeBroker, code: int, of_partitions: bool) -> None:
    """Without them a group would seem to have read nothing."""
    broker.errors_of_partitions = of_partitions
    broker.passing_errors[OFFSET_FETCH] = [code, code]

    assert await group_offsets.committed(broker.address, "g", "t", ANY_ID) == {0: COMMITTED}


async def test_an_error_of_a_partition_that_does_not_pass_is_an_answer(broker: FakeBroker) -> None:
    broker.passing_errors[OFFSET_FETCH] = [UNAUTHORIZED]

    assert await group_offsets.committed(broker.address, "g", "t", ANY_ID) == {}
    assert broker.asked[OFFSET_FETCH] == 1


async def test_answers_that_do_not_pass_end_in_time(
    broker: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_connection, "CONNECT_TIMEOUT_SECONDS", 0.5)
    broker.answers_without_brokers = 10**6
    started = time.monotonic()

    with pytest.raises(BrokersUnreachable, match="FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"):
        async with connect(broker.address) as admin:
            await admin.topic_ids(["t"])
    assert time.monotonic() - started < 5


async def test_a_worker_waits_for_brokers_that_come_later(broker: FakeBroker) -> None:
    port = broker.port
    await broker.stop()
    waiting = asyncio.create_task(wait_for_brokers(broker.address, 30))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await broker.start(port)

    await waiting


async def test_a_worker_waits_no_longer_than_allowed(broker: FakeBroker) -> None:
    await broker.stop()

    with pytest.raises(BrokersUnreachable):
        await wait_for_brokers(broker.address, 0.3)
    await broker.start()


@pytest.mark.parametrize("kind", [AIOKafkaClient, AIOKafkaProducer, AIOKafkaConsumer])
async def test_every_client_asks_again_when_its_first_answer_has_no_brokers(
    broker: FakeBroker, kind: Any
) -> None:
    """The client closes the connection after a while, and then has no broker left to ask, for ever."""
    broker.answers_without_brokers = 2
    client = kind(**client_options(broker.address))
    await (client.bootstrap() if kind is AIOKafkaClient else client.start())
    known = client if kind is AIOKafkaClient else getattr(client, "client", None) or client._client
    await asyncio.sleep(0)  # the consumer's tasks begin; it cannot be stopped before
    try:
        assert [each.nodeId for each in known.cluster.brokers()] == [1]
    finally:
        await (client.close() if kind is AIOKafkaClient else client.stop())


async def test_a_client_whose_brokers_have_all_moved_finds_them_by_its_list(broker: FakeBroker) -> None:
    """One server of the list is the new address of the broker."""
    moved = FakeBroker()
    await moved.start()
    await moved.stop()  # its port is known now
    client = AIOKafkaClient(**client_options(f"{broker.address},{moved.address}"))
    await client.bootstrap()
    assert [each.port for each in client.cluster.brokers()] == [broker.port]
    await broker.stop()
    await moved.start(moved.port)
    assert await client.force_metadata_update()
    assert [each.port for each in client.cluster.brokers()] == [moved.port]
    await client.close()
    await moved.stop()
    await broker.start()


async def test_a_client_that_reaches_no_broker_keeps_its_metadata_and_reconnects(broker: FakeBroker) -> None:
    client = AIOKafkaClient(**client_options(broker.address))
    await client.bootstrap()
    port = broker.port
    await broker.stop()
    assert not await client.force_metadata_update()
    assert [each.nodeId for each in client.cluster.brokers()] == [1]
    await broker.start(port)
    assert await client.force_metadata_update()
    await client.close()
