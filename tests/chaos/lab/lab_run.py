"""One run of a lab scenario: workers on hosts of their own, and cuts between any hosts."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.chaos.lab.brokers import LabCluster
from tests.chaos.lab.compaction import compact
from tests.chaos.lab.equipment import Equipment
from tests.chaos.lab.network import Cut, Host
from tests.chaos.lab.relay import Quality
from tests.chaos.late_writes import late_writes
from tests.chaos.run import Run
from tests.support.workers import Worker

Way = Literal["both", "to", "from"]
"""Direction of a cut, as the first named hosts see it."""
WORKERS = 3
JOIN_SECONDS = 30.0
POLL_SECONDS = 0.02


class LabRun(Run):
    """What a lab scenario acts on."""

    cluster: LabCluster

    def __init__(
        self, cluster: LabCluster, directory: Path, models: Path, *, seed: int, scale: float, app: str
    ) -> None:
        super().__init__(cluster, directory, models, seed, scale, app)
        self.network = cluster.network
        self.equipment = Equipment(cluster, directory)

    @property
    def brokers(self) -> list[Host]:
        return list(self.cluster.hosts.values())

    def leave(self) -> None:
        """Remove the hosts of this run; workers must have ended."""
        self.equipment.close()
        self.network.heal()
        for name in set(self.network.hosts) - {host.name for host in self.brokers}:
            self.network.remove(name)

    def worker(self, **environment: str) -> Worker:
        """Make a worker on a new host without starting it."""
        parts = self.equipment.environment(f"worker-{len(self.workers) + 1}")
        worker = super().worker(**environment | parts)
        self.equipment.install(worker)
        return worker

    def host(self, worker: Worker) -> Host:
        """Return the host of a worker."""
        return self.network.host(worker.name)

    def any_worker(self) -> Worker:
        """Return a worker that runs now, by the seed."""
        return self.random.choice([worker for worker in self.workers if worker.running] or self.workers)

    def cut(
        self, ones: Iterable[Host], others: Iterable[Host], way: Way = "both", *, reset: bool = False
    ) -> list[Cut]:
        """Cut some hosts off from others; with ``reset``, their packets are answered with RST. ``way`` is that of the ones."""
        ones, others = list(ones), list(others)
        cuts = []
        if way != "from":
            cuts.append(self.network.cut(ones, others, reset=reset))
        if way != "to":
            cuts.append(self.network.cut(others, ones, reset=reset))
        names = [", ".join(host.name for host in hosts) for hosts in (ones, others)]
        arrow = {"both": "<->", "to": "->", "from": "<-"}[way]
        self.note(f"cut {names[0]} {arrow} {names[1]}{' with RST' if reset else ''}", fault=True)
        return cuts

    def mend(self, cuts: Iterable[Cut]) -> None:
        """End these cuts."""
        for cut in cuts:
            self.network.mend(cut)
        self.note("healed")

    @contextmanager
    def paused(self, worker: Worker) -> Iterator[None]:
        """Stop a worker with SIGSTOP and continue it after the block, if it still exists."""
        pid = worker.pid
        os.kill(pid, signal.SIGSTOP)
        self.note(f"SIGSTOP {worker.name}", fault=True)
        yield
        if worker.running and worker.pid == pid:
            os.kill(pid, signal.SIGCONT)
            self.note(f"SIGCONT {worker.name}")

    async def rebalancing(self) -> None:
        """Start another worker; return when its group begins to rebalance, at the latest after some seconds."""
        other = self.worker()
        other.start()
        self.note(f"{other.name} joins")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                while "Rebalance" not in await self.cluster.state_of(self.deployment.settings.worker.app_id):  # noqa: ASYNC110  # there is no event for it
                    await asyncio.sleep(POLL_SECONDS)
        self.note("the group rebalances")

    def set_clock(self, worker: Worker, seconds: float) -> None:
        """Set a worker's clock ahead of the machine's; negative: behind."""
        self.equipment.clocks[worker.name].set(seconds)
        self.note(f"clock of {worker.name}: {seconds:+.0f} s", fault=True)

    def lose_power(self, worker: Worker) -> None:
        """End a worker and lose what its disk has not written back."""
        self.equipment.disks[worker.name].lose_power()
        self.note(f"{worker.name} loses power", fault=True)
        self.kill(worker)

    def restart_at_once(self, worker: Worker, *, wipe: bool = False) -> None:
        """Start a killed worker without waiting for it, since another fault may delay it: if it ends by itself, it is started
        again. ``wipe``: on an empty disk.
        """
        if wipe:
            shutil.rmtree(worker.data_dir, ignore_errors=True)
        worker.start()
        self._expected.discard(worker.name)
        self.note(f"{worker.name} begins again")

    def degrade(self, quality: Quality) -> None:
        """Give the links of the workers this quality."""
        self.network.degrade(quality)
        self.note(f"links of the workers: {quality}")

    def note(self, what: str, *, fault: bool = False) -> None:
        """Add an entry to the timeline, and to a file that can be read during the run."""
        super().note(what, fault=fault)
        with (self.directory / "timeline.txt").open("a", encoding="utf-8") as file:
            file.write(f"{self.timeline[-1].seconds:8.2f} {what}\n")

    async def count_late_writes(self) -> int:
        """Count the late writes in the changelog now, before a compaction."""
        found = late_writes(await self.deployment.read(self.deployment.changelog))
        self.note(f"{found} late writes")
        return found

    async def stop_all(self) -> None:
        """Stop every worker with SIGTERM."""
        for worker in self.workers:
            if worker.running:
                await self.stop(worker)

    async def compact(self) -> None:
        """Have the brokers compact the changelog; workers must have ended."""
        self.late_writes += await self.count_late_writes()
        await compact(self, self.deployment.changelog)
        self.note("changelog compacted: one version of each customer")

    async def move(self) -> None:
        """Replace all workers by one on a new host, with an empty disk and a true clock."""
        await self.stop_all()
        self.equipment.provide(frozenset())
        (newest,) = await self.start_workers(1)
        self.workers = [newest]
