"""An unreachable broker is reported with the name of its setting, in bounded time."""

import socket
import time

import pytest

from app.adapters.kafka import connection as kafka_connection
from app.errors import ConfigurationError


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


async def test_a_malformed_address_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="Give host:port"):
        async with kafka_connection.connect("127.0.0.1:kafka"):
            pass
