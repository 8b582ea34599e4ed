"""A connection for administrative requests to any broker; its errors name the setting.

An answer that passes by itself is no verdict: no brokers, no leader, a coordinator that loads, of the whole or of one
partition in it. It is asked for again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    NodeNotReadyError,
)

from app.adapters.kafka.protocol.error_codes import refuse_incomplete
from app.adapters.kafka.protocol.rights import Operation, named_rights
from app.adapters.kafka.security import Cluster, client_options, explain_refusal, servers
from app.domain.words import named
from app.errors import BrokersUnreachable, ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10.0
REQUEST_TIMEOUT_MS = 10_000
RETRY_SECONDS = 0.2
AnswerT = TypeVar("AnswerT")
SETTING = "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"


class Brokers:
    """The brokers that were up when the connection was opened."""

    def __init__(self, client: AIOKafkaClient, servers: str) -> None:
        self._client = client
        self._servers = servers
        self._unreachable: set[int] = set()
        """Nodes that did not accept a connection: each further try would take the whole request timeout."""

    def nodes(self) -> list[int]:
        """The ids of the brokers, the controller first: not every broker forwards requests to the controller. Those that were
        unreachable come last.
        """
        cluster = self._client.cluster
        nodes: list[int] = [broker.nodeId for broker in cluster.brokers()]
        controller = cluster.controller.nodeId if cluster.controller else None
        return sorted(nodes, key=lambda node: (node in self._unreachable, node != controller))

    async def reachable(self) -> list[int]:
        """The ids of the brokers that accept a connection now."""
        return [node for node in self.nodes() if await self._client.ready(node)]

    async def ask(self, request: Any, node: int | None = None) -> Any:
        """The complete response of ``node``, or of the first reachable broker. Raises BrokersUnreachable when there is none in
        time.
        """
        return await self.again(partial(self.once, request, node))

    async def state(self, request: Any, node: int | None = None) -> Any:
        """As ``ask``, of what is described by error codes: topics without a leader, offline disks."""
        return await self.again(partial(self._once, request, node))

    async def once(self, request: Any, node: int | None = None) -> Any:
        """As ``ask``, but raises the KafkaError of an incomplete response. For requests that depend on an earlier answer, such as
        that which names a leader: all of them are asked ``again`` together.
        """
        response = await self._once(request, node)
        refuse_incomplete(response)
        return response

    async def coordinator(self, group: str) -> int:
        """The node that keeps the offsets and the members of a group. Raises KafkaError while there is none."""
        try:
            node: int = await self._client.coordinator_lookup(CoordinationType.GROUP, group)
        except GroupAuthorizationFailedError:
            raise GroupAuthorizationFailedError(group) from None
        return node

    async def again(self, ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """See ``ask_again``."""
        return await ask_again(self._servers, ask)

    async def _once(self, request: Any, node: int | None) -> Any:
        for candidate in self.nodes() if node is None else [node]:
            if await self._client.ready(candidate):
                answer = await self._client.send(candidate, request)
                if getattr(answer, "brokers", None) == []:  # of a broker that has just started
                    raise NodeNotReadyError
                return answer
            self._unreachable.add(candidate)
        await self._client.force_metadata_update()  # the brokers may have moved
        raise NodeNotReadyError


@asynccontextmanager
async def connect(kafka: Cluster) -> AsyncIterator[Brokers]:
    """Open a connection. Raises BrokersUnreachable when no broker answers within 10 seconds."""
    client = AIOKafkaClient(**client_options(kafka), request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await _bootstrap(client, kafka)
        yield Brokers(client, servers(kafka))
    finally:
        await client.close()


async def ask_again(
    servers: str, ask: Callable[[], Awaitable[AnswerT]], operation: Operation = "Describe", name: str = ""
) -> AnswerT:
    """The answer of ``ask``, which is repeated while it raises a KafkaError that passes by itself.

    Raises BrokersUnreachable after CONNECT_TIMEOUT_SECONDS. Raises RightMissing where the brokers refuse ``operation`` on the
    resource that the error names, or else on ``name``.
    """
    deadline = time.monotonic() + CONNECT_TIMEOUT_SECONDS
    with _translated(servers), named_rights(operation, name):
        while True:
            try:
                return await ask()
            except KafkaError as error:
                if not error.retriable or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)


async def wait_for_brokers(kafka: Cluster, seconds: float) -> None:
    """Return when a broker answers. Raises BrokersUnreachable when none does within ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            async with connect(kafka):
                return
        except BrokersUnreachable:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)


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
    except NodeNotReadyError as error:
        raise BrokersUnreachable(
            f"{SETTING}={servers}: the brokers cannot be reached at the addresses that they advertise. "
            "Correct their advertised.listeners, or start them again."
        ) from error
    except (KafkaError, OSError) as error:
        raise BrokersUnreachable(
            f"{SETTING}={servers}: no broker answers ({named(error)}). "
            "Start the brokers or correct the setting."
        ) from error
