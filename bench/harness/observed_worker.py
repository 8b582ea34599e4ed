"""A worker whose topics are filled while its memory is observed."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from app.domain.transaction import Transaction
from app.local.state import Stack
from app.topics.topic_specs import profiles_changelog
from app.traffic.produce import produce
from bench.harness.deployment import BenchDeployment
from bench.harness.event_cost import Counters
from bench.harness.footprint import Memory, memory, topic_bytes
from bench.harness.stages import seconds_per_stage
from bench.harness.topic_progress import Reading, wait_for
from bench.harness.worker_process import WorkerProcess


class ObservedWorker(NamedTuple):
    """The worker and where to look for what it has done."""

    process: WorkerProcess
    deployment: BenchDeployment
    metrics_port: int
    data: Path
    stack: Stack

    def memory(self) -> Memory:
        return memory(self.process.pid)

    async def send(self, events: Iterable[Transaction], rate: float | None = None) -> None:
        """Return when all are acknowledged."""
        topic = self.deployment.settings().topics.transactions
        await produce(events, topic=topic, kafka=self.deployment.servers, rate=rate)

    async def decided(self, count: int) -> int:
        """How many decisions are there, once it is at least ``count``. Raises RuntimeError when the worker has gone."""
        readings = await wait_for(
            self.deployment.servers,
            self.deployment.settings().topics.decisions,
            self.deployment.partitions,
            count,
            lambda found: Reading(found, self.process.cpu_seconds()),
        )
        return readings[-1].records

    def counters(self, decisions: int) -> Counters:
        """What the worker has done and used until now."""
        return Counters(
            time.perf_counter(),
            decisions,
            self.process.cpu_seconds(),
            self.topic_bytes()["changelog"],
            self.memory().peak_rss,
            seconds_per_stage([self.metrics_port]),
        )

    def topic_bytes(self) -> dict[str, int]:
        """What each topic takes on the brokers' disks so far."""
        settings = self.deployment.settings()
        topics = settings.topics
        names = {
            "transactions": topics.transactions,
            "decisions": topics.decisions,
            "alerts": topics.alerts,
            "changelog": profiles_changelog(settings),
        }
        return {name: topic_bytes(self.stack, topic) for name, topic in names.items()}
