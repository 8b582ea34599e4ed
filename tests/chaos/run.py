"""One run of a scenario: a deployment on three brokers, supervised workers, live traffic, and a timeline."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from app.local import ports
from tests.chaos.background import background
from tests.chaos.cluster import Cluster
from tests.chaos.late_writes import refused_batches
from tests.chaos.traffic import Sent, Traffic, transactions
from tests.support import reading
from tests.support.deployment import Deployment
from tests.support.workers import Worker

ASSIGNED_SECONDS = 60.0
ENDED_SECONDS = 60.0
RECOVERY_SECONDS = 120.0
DRAIN_SECONDS = 300.0
POLL_SECONDS = 0.1
READY = "Worker ready"
STARTED = '"event": "started"'
"""Log message of Faust's own recovery when it resumes the flow."""
RESTART_SECONDS = 1.0
"""Delay before the supervisor restarts an ended worker."""


class Moment(NamedTuple):
    """One entry of the timeline."""

    seconds: float
    what: str


class Stack(NamedTuple):
    bootstrap_servers: str


class Run:
    """The deployment that a scenario acts on. Workers that end by themselves are restarted, as by a supervisor."""

    def __init__(
        self, cluster: Cluster, directory: Path, models: Path, seed: int, scale: float, app: str
    ) -> None:
        self.cluster = cluster
        self.directory = directory
        self.seed = seed
        self.random = Random(seed)
        self.scale = scale
        self.timeline: list[Moment] = []
        self.broken: list[str] = []
        """Declared behaviour that was not observed."""
        self.late_writes = 0
        """Late writes counted before a compaction removed them."""
        self.kills = 0
        self.restarts = 0
        """Exit codes of workers that ended by themselves."""
        self.pause_bound_seconds = float("inf")
        """Longest declared pause between decisions, if any."""
        self.recovery_seconds: list[float] = []
        self.faults_ms: list[int] = []
        self.recovered_ms = 0
        self.workers: list[Worker] = []
        self.kept_stores: dict[bytes, bytes] = {}
        self.deleted_log: list[Any] = []
        """Records of the transactions topic before it was created again."""
        self.as_sent: Callable[[Any], Any] = lambda record: record
        """Makes of a record of the source log the one that a direct producer would have sent."""
        self.deployment = _deployment(cluster, directory, models)
        self.app = app
        self._begun = time.monotonic()
        self._expected: set[str] = set()

    def seconds(self, full: float) -> float:
        """Return a duration, shortened in a short run."""
        return max(1.0, full * self.scale)

    def note(self, what: str, *, fault: bool = False) -> None:
        """Add an entry to the timeline; the first fault begins the phase `during` of the latencies."""
        self.timeline.append(Moment(round(time.monotonic() - self._begun, 2), what))
        if fault:
            self.faults_ms.append(time.time_ns() // 1_000_000)

    def expect(self, condition: object, what: str) -> None:
        """Check declared behaviour; the run fails when it does not hold."""
        self.note(("as declared: " if condition else "NOT AS DECLARED: ") + what)
        if not condition:
            self.broken.append(what)

    def bound_pause(self, seconds: float) -> None:
        """Declare the longest pause between decisions while there is traffic; checked at the end."""
        self.pause_bound_seconds = seconds

    async def start_workers(self, count: int, **environment: str) -> list[Worker]:
        """Start ``count`` more workers; return when every partition is assigned."""
        started = [self.worker(**environment) for _ in range(count)]
        for worker in started:
            worker.start()
        await asyncio.gather(*(asyncio.to_thread(worker.wait_started) for worker in started))
        async with asyncio.timeout(ASSIGNED_SECONDS):
            while not all(self._is_in_group(worker) for worker in started):  # noqa: ASYNC110  # seen only in another process's log
                await asyncio.sleep(POLL_SECONDS)
        self.note(f"{count} workers started")
        return started

    def _is_in_group(self, worker: Worker) -> bool:
        if not self.ours:
            return worker.lines_with(READY) > 0
        return any(_restored(worker)) and len(owners(self.workers)) == self.deployment.partitions

    @property
    def ours(self) -> bool:
        """Whether workers are the service's or a mutant of it, whose logs and disks can be checked, unlike stock Faust's."""
        return "baseline" not in self.app

    def worker(self, **environment: str) -> Worker:
        """Make a worker without starting it."""
        given = {"FRAUDSTREAM_WORKER_LOG_FORMAT": "json"} | environment
        worker = self.deployment.worker(f"worker-{len(self.workers) + 1}", **given)
        worker.application = self.app
        worker.may_end = True  # `supervised` restarts it
        worker.in_full = True
        if not self.ours:
            worker.started_word = READY
        self.workers.append(worker)
        return worker

    def refused_writes(self) -> int:
        """Count the batches of former owners that brokers refused to append to the changelog."""
        return sum(refused_batches(log, self.deployment.changelog) for log in self.cluster.logs())

    def run_app(self, app: str) -> None:
        """Set the application of workers created later, unless the run is of a mutant."""
        if self.app == "app.worker":
            self.app = app

    def own_models(self) -> Path:
        """Copy the models directory for this run, so that the scenario can damage it."""
        self.deployment.models = shutil.copytree(self.deployment.models, self.directory / "own-models")
        return self.deployment.models

    def keep_stores(self) -> None:
        """Read the owners' disks now, since they will not exist at the verdict."""
        self.kept_stores = stored(self.workers)

    def kill(self, worker: Worker) -> None:
        """Kill a worker with SIGKILL; it stays down until ``restart``."""
        self._expected.add(worker.name)
        worker.kill()
        self.kills += 1
        self.note(f"kill -9 {worker.name}", fault=True)

    async def stop(self, worker: Worker) -> int:
        """Stop a worker with SIGTERM; return its exit code."""
        self._expected.add(worker.name)
        self.note(f"SIGTERM {worker.name}", fault=True)
        code = await asyncio.to_thread(worker.terminate)
        self.note(f"{worker.name} ended with {code}")
        return code

    async def restart(self, worker: Worker, *, wipe: bool = False) -> None:
        """Start a stopped worker on its disk, or on an empty one with ``wipe``."""
        if wipe:
            shutil.rmtree(worker.data_dir, ignore_errors=True)
        worker.start()
        self._expected.discard(worker.name)
        await asyncio.to_thread(worker.wait_started)
        self.note(f"{worker.name} started{' on an empty disk' if wipe else ''}")

    @asynccontextmanager
    async def traffic(self, count: int, rate: float, customers: int = 300) -> AsyncIterator[Traffic]:
        """Send ``transactions(count)`` in the background; when the block ends, the brokers have acknowledged all."""
        async with self.sending(transactions(count, self.seed, customers), rate) as traffic:
            yield traffic

    @asynccontextmanager
    async def sending(self, records: Iterator[Sent], rate: float) -> AsyncIterator[Traffic]:
        """Send the given records."""
        traffic = Traffic(self.cluster.servers, self.deployment.settings.topics.transactions, records, rate)
        await traffic.start()
        try:
            yield traffic
            await traffic.ended()
        finally:
            await traffic.abandon()
        self.note(f"{traffic.sent} records sent")

    async def ended_by_itself(self) -> None:
        """Wait until a worker has ended by itself; expected within a minute."""
        before, until = self.restarts, time.monotonic() + ENDED_SECONDS
        while self.restarts == before and time.monotonic() < until:  # noqa: ASYNC110  # seen only at another process's end
            await asyncio.sleep(POLL_SECONDS)
        self.expect(self.restarts > before, "the worker ended by itself")

    async def recovered(self, timeout: float = RECOVERY_SECONDS) -> float:  # noqa: ASYNC109  # a bound on polling
        """Wait until the current end of the source log is committed; return the seconds."""
        begun = time.monotonic()
        ends = await self.ends()
        while any(committed < ends[p] for p, committed in (await self.committed()).items()):
            if time.monotonic() > begun + timeout:
                self.expect(False, f"recovered within {timeout:.0f} s")
                break
            await asyncio.sleep(POLL_SECONDS)
        seconds = round(time.monotonic() - begun, 2)
        self.recovery_seconds.append(seconds)
        self.recovered_ms = time.time_ns() // 1_000_000
        self.note(f"recovered after {seconds} s")
        return seconds

    async def drained(self) -> None:
        """Wait until everything is committed, or give up: the verdict then shows what is missing."""
        try:
            await self.deployment.drained(DRAIN_SECONDS)
        except AssertionError:
            self.expect(False, f"drained within {DRAIN_SECONDS:.0f} s")
        else:
            self.note("drained")

    async def settled(self) -> None:
        """Wait until every partition is assigned to a running worker: during a handover no owner's disk can be read.
        Returns at once if no worker runs.
        """
        if not self.ours or not any(worker.running for worker in self.workers):
            return
        async with asyncio.timeout(ASSIGNED_SECONDS):
            while not self._is_settled():  # noqa: ASYNC110  # seen only in another process's log
                await asyncio.sleep(POLL_SECONDS)
        self.note("settled")

    def _is_settled(self) -> bool:
        running = [worker for worker in self.workers if worker.running]
        return all(any(_restored(worker, STARTED)) for worker in running) and len(
            owners(running, STARTED)
        ) == (self.deployment.partitions)

    def supervised(self) -> AbstractAsyncContextManager[None]:
        """Restart workers that end by themselves, until the block ends."""
        return background(self._supervise())

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            for worker in self.workers:
                if worker.begun and not worker.running and worker.name not in self._expected:
                    self.restarts += 1
                    self.note(f"{worker.name} ended with {worker.wait()}, started again")
                    worker.start()

    async def ends(self) -> dict[int, int]:
        """The end of each partition of the source log."""
        settings = self.deployment.settings
        return await reading.end_offsets(
            self.cluster.servers, settings.topics.transactions, settings.topics.partitions
        )

    async def committed(self) -> dict[int, int]:
        """The committed offset of each partition of the source log."""
        settings = self.deployment.settings
        return await reading.committed_offsets(
            self.cluster.servers,
            settings.worker.app_id,
            settings.topics.transactions,
            settings.topics.partitions,
        )


def _deployment(cluster: Cluster, directory: Path, models: Path) -> Deployment:
    deployment = Deployment(Stack(cluster.servers), directory, models, partitions=6)
    deployment.settings = msgspec.structs.replace(
        deployment.settings,
        topics=msgspec.structs.replace(deployment.settings.topics, replication_factor=3),
    )
    return deployment


def metrics_port() -> dict[str, str]:
    """Environment of a worker whose HTTP endpoints are read."""
    return {"FRAUDSTREAM_WORKER_METRICS_PORT": str(ports.choose())}


def owners(workers: list[Worker], since: str = "") -> dict[int, Worker]:
    """Return the last owner of each partition, by the workers' logs since the event ``since``."""
    found: dict[int, tuple[str, Worker]] = {}
    for worker in workers:
        for line in _restored(worker, since):
            for partition in line["partitions"]:
                if partition not in found or line["timestamp"] > found[partition][0]:
                    found[partition] = (line["timestamp"], worker)
    return {partition: worker for partition, (_, worker) in found.items()}


def stored(workers: list[Worker]) -> dict[bytes, bytes]:
    """Read the database of each partition's last owner; workers must have ended."""
    found: dict[bytes, bytes] = {}
    for partition, worker in owners(workers).items():
        found |= reading.stored_partition(worker.data_dir, partition)
    return found


def _restored(worker: Worker, since: str = "") -> Iterator[dict[str, Any]]:
    for line in worker.text().rpartition(since or "\0")[2].splitlines():
        if '"restored"' in line:
            with contextlib.suppress(msgspec.DecodeError):
                yield msgspec.json.decode(line)
