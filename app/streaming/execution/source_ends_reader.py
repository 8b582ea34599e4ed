"""Reads how far the log of transactions reaches."""

from contextlib import AsyncExitStack
from functools import partial

import numpy as np

from app.adapters.kafka import connection as kafka_connection
from app.adapters.kafka.admin import short_topic_id
from app.adapters.kafka.cluster import read_ends
from app.adapters.kafka.connection import Brokers
from app.adapters.kafka.security import Cluster
from app.processing.source_ends import SourceEnds


class SourceEndsReader:
    """Asks the brokers, on a connection that is kept while they answer. Raises BrokersUnreachable when they do not."""

    def __init__(self, kafka: Cluster, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._open = AsyncExitStack()
        self._brokers: Brokers | None = None

    async def read(self) -> SourceEnds:
        """The log now."""
        try:
            if self._brokers is None:
                self._brokers = await self._open.enter_async_context(kafka_connection.connect(self._kafka))
            topic_id, ends = await self._brokers.again(partial(read_ends, self._brokers, self._topic))
        except BaseException:  # a time limit included: the brokers that this connection knows may be gone
            await self.close()
            raise
        signed = int(np.uint64(short_topic_id(topic_id)).astype(np.int64))
        return SourceEnds(signed, ends)

    async def close(self) -> None:
        """Close the connection; the next read opens another one."""
        self._brokers = None
        await self._open.aclose()
