"""A worker whose topics are filled while its memory and counters are read."""

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
    """The worker process with the places from which its figures are read."""

    process: WorkerProcess
    deployment: BenchDeployment
    metrics_port: int
    data: Path
    stack: Stack

    def memory(self) -> Memory:
        return memory(self.process.pid)

    async def send(self, events: Iterable[Transaction], rate: float | None = None) -> None:
        """Send the events, ``rate`` per second or as fast as possible; return when all are acknowledged."""
        topic = self.deployment.settings().topics.transactions
        await produce(events, topic=topic, kafka=self.deployment.servers, rate=rate)

    async def decided(self, count: int) -> int:
        """Wait for at least ``count`` decisions and return their number. Raises RuntimeError when the worker has ended."""
        readings = await wait_for(
            self.deployment.servers,
            self.deployment.settings().topics.decisions,
            self.deployment.partitions,
            count,
            lambda found: Reading(found, self.process.cpu_seconds()),
        )
        return readings[-1].records

    def counters(self, decisions: int) -> Counters:
        """Return the present counters of the worker."""
        return Counters(
            time.perf_counter(),
            decisions,
            self.process.cpu_seconds(),
            self.topic_bytes()["changelog"],
            self.memory().peak_rss,
            seconds_per_stage([self.metrics_port]),
        )

    def topic_bytes(self) -> dict[str, int]:
        """Return the bytes of each topic on the disks of the brokers."""
        settings = self.deployment.settings()
        topics = settings.topics
        names = {
            "transactions": topics.transactions,
            "decisions": topics.decisions,
            "alerts": topics.alerts,
            "changelog": profiles_changelog(settings),
        }
        return {name: topic_bytes(self.stack, topic) for name, topic in names.items()}
