"""A client closes in bounded time and without an error, also when its broker says nothing or is away."""

import asyncio
import ssl
import time
from collections.abc import Callable

import msgspec
import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import NodeNotReadyError
from aiokafka.structs import TopicPartition

from app.adapters.kafka.client import closing
from app.adapters.kafka.client.closing import CLOSE_SECONDS
from app.adapters.kafka.security import client_options
from app.settings import KafkaSettings
from tests.support.servers.certificates import Authority
from tests.unit.kafka.client.fake_broker import FakeBroker

BUSY_SECONDS = 4.0
"""What a busy machine may take in addition. Unbounded, the event loop takes 30 s over TLS, and for ever without."""
MORE_THAN_SOCKETS_HOLD = bytes(64 * 1024 * 1024)

Loop = Callable[[], asyncio.AbstractEventLoop]
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
"""Of commands, and of workers."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture
def tls_broker(authority: Authority) -> FakeBroker:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("broker", "IP:127.0.0.1").both)
    return FakeBroker(context)


def tls_settings(authority: Authority) -> KafkaSettings:
    return KafkaSettings(security_protocol="tls", tls_ca_file=str(authority.certificate))


async def close_seconds(
    broker: FakeBroker, kafka: KafkaSettings, *, reads: bool = False, unsent: bytes = b""
) -> float:
    """The time that a client takes to close."""
    async with broker:
        at = msgspec.structs.replace(kafka, bootstrap_servers=broker.address)
        client = AIOKafkaClient(**client_options(at))
        await client.bootstrap()
        assert await client.ready(1)
        if not reads:
            broker.read_no_more()
        for connection in client._conns.values():
            connection._writer.write(unsent)
        began = time.monotonic()
        async with asyncio.timeout(CLOSE_SECONDS + BUSY_SECONDS):
            await client.close()
        return time.monotonic() - began


@pytest.mark.parametrize("loop", LOOPS)
def test_a_broker_that_never_answers_the_notice_of_tls(
    loop: Loop, authority: Authority, tls_broker: FakeBroker
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(close_seconds(tls_broker, tls_settings(authority))) >= CLOSE_SECONDS


@pytest.mark.parametrize("loop", LOOPS)
def test_a_broker_that_takes_no_more_data(loop: Loop) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        closing = close_seconds(FakeBroker(), KafkaSettings(), unsent=MORE_THAN_SOCKETS_HOLD)
        assert runner.run(closing) >= CLOSE_SECONDS


@pytest.mark.parametrize("loop", LOOPS)
def test_a_broker_that_answers_ends_the_wait(
    loop: Loop, authority: Authority, tls_broker: FakeBroker
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(close_seconds(tls_broker, tls_settings(authority), reads=True)) < CLOSE_SECONDS


class Away:
    """The client of a fetcher, whose only broker refuses connections."""

    _metadata_max_age_ms = 300_000

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.cluster = self
        self.asked = asyncio.Event()

    def leader_for_partition(self, _: TopicPartition) -> int:
        return 1

    async def send(self, *_: object) -> None:
        self.asked.set()
        raise NodeNotReadyError


async def test_requests_that_wait_to_be_repeated_do_not_cancel_who_closes_their_fetcher() -> None:
    closing.install()
    client, subscriptions, partition = Away(), SubscriptionState(), TopicPartition("t", 0)
    subscriptions.assign_from_user([partition])
    subscriptions.subscription.assignment.state_value(partition).seek(0)
    fetcher = Fetcher(client, subscriptions, retry_backoff_ms=60_000)
    await client.asked.wait()

    await fetcher.close()
    assert not fetcher._pending_tasks
