"""Lets every Kafka client of this process find brokers again by its bootstrap list; aiokafka uses the list only once.

A broker that is busy may answer without brokers. aiokafka takes that for the cluster: it then has no broker left to ask, for ever.
The same happens when all known brokers have moved. And aiokafka gives each server of the list the whole request timeout: one
whose packets are dropped, or that is paused, would take all of the time.
"""

import asyncio
import random
import time
from contextlib import suppress
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import BrokerMetadata

RETRY_SECONDS = 0.2
FIRST_TRY_SECONDS = 2.0
"""For each server of a list of several, connection and answer apart; twice as long in every further round."""
_FIRST_ID = -1_000
"""Ids of the servers of the list until their cluster is known: brokers have positive ids, and -1 means no leader."""

_client: Any = AIOKafkaClient
_bootstrap = _client.bootstrap
_update = _client._metadata_update  # noqa: SLF001  # aiokafka has no public way to choose whom it asks


def install() -> None:
    """Change all clients of this process. A release of aiokafka that moved these methods fails at the import above."""
    _client.bootstrap = _bootstrap_with_brokers
    _client._metadata_update = _update_or_bootstrap  # noqa: SLF001  # as above


async def _bootstrap_with_brokers(self: Any) -> None:
    """Ask again until the answer has brokers. Raises KafkaConnectionError when it has none within the request timeout."""
    deadline = time.monotonic() + self._request_timeout_ms / 1000
    await _bootstrap_in_turn(self, deadline)
    while not self.cluster.brokers():
        if time.monotonic() > deadline:
            raise KafkaConnectionError(f"{self.hosts} answer that the cluster has no brokers")
        await asyncio.sleep(RETRY_SECONDS)
        await self.force_metadata_update()


async def _bootstrap_in_turn(self: Any, deadline: float) -> None:
    """Try the servers of the list one after the other, in rounds until one answers.

    Raises KafkaConnectionError at the deadline, or when all servers refuse.
    """
    listed, request_timeout_ms = self._bootstrap_servers, self._request_timeout_ms
    servers = listed.split(",") if isinstance(listed, str) else list(listed)
    seconds = FIRST_TRY_SECONDS if len(servers) > 1 else request_timeout_ms / 1000
    try:
        while True:
            began = time.monotonic()
            self._request_timeout_ms = min(int(seconds * 1000), request_timeout_ms)
            for server in random.sample(servers, len(servers)):
                self._bootstrap_servers = [server]
                with suppress(KafkaConnectionError):
                    await _bootstrap(self)
                    return
            if time.monotonic() - began < seconds or time.monotonic() > deadline:
                raise KafkaConnectionError(f"no server of {listed} answers")
            seconds *= 2
    finally:
        self._bootstrap_servers, self._request_timeout_ms = listed, request_timeout_ms


async def _update_or_bootstrap(self: Any, cluster: Any, topics: Any) -> bool:
    """Update from a known broker, or else from a server of the list."""
    if await _update(self, cluster, topics):
        return True
    cluster_of_client = vars(self.cluster)  # its list of brokers has no public setter
    known = cluster_of_client["_brokers"]
    listed = {
        _FIRST_ID - number: BrokerMetadata(_FIRST_ID - number, host, port, None)
        for number, (host, port, _) in enumerate(self.hosts)
    }
    cluster_of_client["_brokers"] = listed
    try:
        return bool(await _update(self, cluster, topics))
    finally:
        if cluster_of_client["_brokers"] is listed:  # no server has answered
            cluster_of_client["_brokers"] = known
