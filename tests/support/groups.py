"""Workers of the roles analytics and crm, and the results of their work."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow.parquet as pq

from tests.support.deployment import DRAIN_SECONDS, POLL_SECONDS, SHORT_SESSION, Deployment
from tests.support.workers import Worker

Place = tuple[int, int]
"""Partition and offset."""


class Groups:
    """The analytics and crm groups of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.files = deployment.directory / "files"

    def analytics(self, **overrides: str) -> Worker:
        """An analytics worker that writes many small files."""
        settings = {
            "FRAUDSTREAM_WORKER_ROLE": "analytics",
            "FRAUDSTREAM_ANALYTICS_DIR": str(self.files),
            "FRAUDSTREAM_ANALYTICS_ROLL_ROWS": "1000",
            "FRAUDSTREAM_ANALYTICS_ROLL_SECONDS": "1",
            "FRAUDSTREAM_ANALYTICS_REPORT_SECONDS": "0.5",
        } | SHORT_SESSION
        return self.deployment.worker("analytics-1", **(settings | overrides))

    def crm(self, **overrides: str) -> Worker:
        settings = {"FRAUDSTREAM_WORKER_ROLE": "crm"} | SHORT_SESSION
        return self.deployment.worker("crm-1", **(settings | overrides))

    async def stored(self) -> None:
        """Return when the analytics group has nothing left to write."""
        settings = self.deployment.settings
        topics = (settings.topics.decisions, settings.topics.labels)
        await self.drained(settings.analytics.app_id, topics)

    async def asked(self) -> None:
        """Return when the crm group has nothing left to do."""
        settings = self.deployment.settings
        await self.drained(settings.crm.app_id, (settings.topics.alerts, settings.topics.answers))

    async def drained(self, group: str, topics: Iterable[str]) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        for topic in topics:
            while lag := await self.deployment.lag_of(group, topic):
                self.deployment.require_workers()
                assert time.monotonic() < deadline, f"{lag} of {topic} left\n{self.deployment.tails()}"
                await asyncio.sleep(POLL_SECONDS)

    def in_files(self, table: str) -> Counter[Place]:
        """The number of files that each offset is in."""
        found: Counter[Place] = Counter()
        for path in self.files.glob(f"{table}/day=*/*.parquet"):
            rows = pq.read_table(path, columns=["kafka_partition", "kafka_offset"], partitioning=None)
            found.update(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        return found

    async def on_topic(self, topic: str) -> Counter[Place]:
        """Every offset of a topic."""
        records = await self.deployment.read(topic)
        return Counter((record.partition, record.offset) for record in records)

    async def events(self, topic: str) -> list[dict[str, Any]]:
        """The content of every record."""
        return [json.loads(record.value) for record in await self.deployment.read(topic)]
