"""An unreachable broker is reported with the name of its setting, in bounded time."""

import asyncio
import socket
import time
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.adapters.kafka import connection as kafka_connection
from app.errors import ConfigurationError
from tests.unit.kafka.client.fake_broker import FakeBroker


async def test_a_closed_port_names_the_setting_at_once() -> None:
    started = time.monotonic()

    with pytest.raises(
        ConfigurationError, match=r"FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=127\.0\.0\.1:1: no broker"
    ):
        async with kafka_connection.connect("127.0.0.1:1"):
            pass
    assert time.monotonic() - started < kafka_connection.CONNECT_TIMEOUT_SECONDS


async def test_a_server_that_never_answers_is_an_error_after_the_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka_connection, "CONNECT_TIMEOUT_SECONDS", 0.2)

    # The kernel accepts the connection, but no program reads from it.
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(ConfigurationError, match="no broker answers"),
    ):
        async with kafka_connection.connect(f"127.0.0.1:{listener.getsockname()[1]}"):
            pass


async def test_servers_that_never_answer_leave_time_for_one_that_does() -> None:
    """Packets to a host that is cut off are dropped, and a paused process accepts connections."""
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        silent = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in (first, second)]
        async with FakeBroker() as broker, AsyncExitStack() as connections:
            servers = ",".join([*silent, broker.address])
            opening = [connections.enter_async_context(kafka_connection.connect(servers)) for _ in range(8)]
            opened = await asyncio.gather(*opening)

    assert all(brokers.nodes() for brokers in opened)


async def test_servers_that_refuse_are_an_error_at_once() -> None:
    started = time.monotonic()

    with pytest.raises(ConfigurationError, match="no broker answers"):
        async with kafka_connection.connect("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3"):
            pass
    assert time.monotonic() - started < kafka_connection.CONNECT_TIMEOUT_SECONDS


async def test_a_node_that_accepts_no_connection_is_asked_last() -> None:
    client = NodesOfCluster(away={1})
    brokers = kafka_connection.Brokers(cast(Any, client), "servers")

    assert brokers.nodes() == [1, 2, 3]
    for _ in range(3):
        assert await brokers.state("request") == "answer"

    assert client.tried == [1, 2, 2, 2]
    assert brokers.nodes() == [2, 3, 1]


class NodesOfCluster:
    """Three nodes, of which 1 is the controller."""

    def __init__(self, away: set[int]) -> None:
        self.cluster = self
        self.controller = SimpleNamespace(nodeId=1)
        self.away = away
        self.tried: list[int] = []

    def brokers(self) -> list[Any]:
        return [SimpleNamespace(nodeId=node) for node in (1, 2, 3)]

    async def ready(self, node: int) -> bool:
        self.tried.append(node)
        return node not in self.away

    async def send(self, node: int, request: str) -> str:
        assert node not in self.away
        return "answer" if request else ""


async def test_a_malformed_address_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="Give host:port"):
        async with kafka_connection.connect("127.0.0.1:kafka"):
            pass
