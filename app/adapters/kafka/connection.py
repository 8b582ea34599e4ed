"""A connection for administrative requests to any broker; its errors name the setting."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError

from app.adapters.kafka.security import Cluster, client_options, explain_refusal, servers
from app.errors import ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10.0
REQUEST_TIMEOUT_MS = 10_000
SETTING = "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"


class Brokers:
    """The brokers that were up when the connection was opened."""

    def __init__(self, client: AIOKafkaClient, servers: str) -> None:
        self._client = client
        self._servers = servers

    def nodes(self) -> list[int]:
        """The ids of the brokers, the controller first: not every broker forwards requests to the controller."""
        cluster = self._client.cluster
        nodes: list[int] = [broker.nodeId for broker in cluster.brokers()]
        controller = cluster.controller.nodeId if cluster.controller else None
        return sorted(nodes, key=lambda node: node != controller)

    async def reachable(self) -> list[int]:
        """The ids of the brokers that accept a connection now."""
        return [node for node in self.nodes() if await self._client.ready(node)]

    async def ask(self, request: Any, node: int | None = None) -> Any:
        """The response of ``node``, or of the first reachable broker. Raises ConfigurationError when none answers."""
        with _translated(self._servers):
            for candidate in self.nodes() if node is None else [node]:
                if await self._client.ready(candidate):
                    return await self._client.send(candidate, request)
        raise ConfigurationError(
            f"{SETTING}={self._servers}: the brokers cannot be reached at the addresses that they advertise. "
            "Correct their advertised.listeners, or start them again."
        )


@asynccontextmanager
async def connect(kafka: Cluster) -> AsyncIterator[Brokers]:
    """Open a connection. Raises ConfigurationError when no broker answers within 10 seconds."""
    client = AIOKafkaClient(**client_options(kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await _bootstrap(client, kafka)
        yield Brokers(client, servers(kafka))
    finally:
        await client.close()


async def _bootstrap(client: AIOKafkaClient, kafka: Cluster) -> None:
    try:
        with _translated(servers(kafka)):
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    await client.bootstrap()
            except (KafkaError, OSError):
                await explain_refusal(kafka)
                raise
    except ValueError as error:
        raise ConfigurationError(
            f"{SETTING}={servers(kafka)}: {error}. Give host:port, comma-separated."
        ) from error


@contextmanager
def _translated(servers: str) -> Iterator[None]:
    try:
        yield
    except (IncompatibleBrokerVersion, NotImplementedError) as error:
        raise ConfigurationError(
            f"{SETTING}={servers}: these brokers are too old; Kafka 3.6 or newer is needed."
        ) from error
    except (KafkaError, OSError) as error:
        raise ConfigurationError(
            f"{SETTING}={servers}: no broker answers ({type(error).__name__}). "
            "Start the brokers or correct the setting."
        ) from error
