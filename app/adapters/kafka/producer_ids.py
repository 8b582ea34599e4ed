"""Asks brokers for producer identities: a new one, or the next epoch of the one that belongs to a name.

The name is a transactional id. Its transaction coordinator gives the same producer id for it each time, with the next
epoch. No transaction is begun: only the epochs are used (docs/adr/0016-fenced-changelog.md).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    KafkaError,
    NodeNotReadyError,
    ProducerFenced,
    for_code,
)

from app.adapters.kafka.producer_identity import ProducerIdentity
from app.adapters.kafka.protocol.init_producer_id import init_producer_id
from app.adapters.kafka.protocol.rights import named_rights

RETRY_SECONDS = 0.1
GIVE_UP_SECONDS = 60.0
"""Longer than the election of a new coordinator takes. After it the worker exits and its supervisor restarts it."""
_PRODUCER_FENCED = 90
"""Unknown to aiokafka, which reports it as an unknown error."""

ResultT = TypeVar("ResultT")


class ProducerIds:
    """Waits for elections and broken connections; raises KafkaError after GIVE_UP_SECONDS."""

    def __init__(self, client: AIOKafkaClient, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._client = client
        self._give_up_seconds = give_up_seconds

    async def new(self) -> ProducerIdentity:
        """An identity that no other producer has."""
        return await self._retried(lambda: self._ask(self._any_node(), init_producer_id(None)))

    async def take_over(self, name: str) -> ProducerIdentity:
        """The identity of ``name`` with its next epoch: no former holder of the name can append behind its first batch.

        Raises RightMissing when this user may not use the name.
        """
        return await self._of_name(name, init_producer_id(name))

    async def renew(self, name: str, current: ProducerIdentity) -> ProducerIdentity:
        """As ``take_over``, but raises a KafkaError when another producer has taken the name over since ``current``."""
        return await self._of_name(name, init_producer_id(name, current.producer_id, current.epoch))

    async def require_right(self, name: str) -> None:
        """Raise RightMissing when this user may not use the name."""
        await self._retried(lambda: self._coordinator(name))

    async def _of_name(self, name: str, request: Any) -> ProducerIdentity:
        async def ask() -> ProducerIdentity:
            node = await self._coordinator(name)
            with named_rights("Write", name):
                return await self._ask(node, request)

        return await self._retried(ask)

    async def _coordinator(self, name: str) -> int:
        self._any_node()
        with named_rights("Write", name):
            node: int = await self._client.coordinator_lookup(CoordinationType.TRANSACTION, name)
        return node

    def _any_node(self) -> int:
        node: int | None = self._client.get_random_node()
        if node is None:
            raise NodeNotReadyError("the cluster names no broker")
        return node

    async def _ask(self, node: int, request: Any) -> ProducerIdentity:
        response: Any = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
        if response.error_code == _PRODUCER_FENCED:
            raise ProducerFenced
        if response.error_code:
            raise for_code(response.error_code)
        return ProducerIdentity(response.producer_id, response.producer_epoch)

    async def _retried(self, ask: Callable[[], Awaitable[ResultT]]) -> ResultT:
        deadline = time.monotonic() + self._give_up_seconds
        while True:
            try:
                return await ask()
            except KafkaError as error:
                passing = error.retriable or isinstance(error, ConcurrentTransactions)
                if not passing or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)
            await self._client.force_metadata_update()
