"""Time until a worker decides again: `python -m bench.recovery [--customers 100000,1000000] [--json]`.

``empty``: a worker without data restores all profiles from the changelog. ``warm``: it is stopped and started again on its
data. ``behind``: the same, after 1 % of the customers got new profiles. Seconds are measured from the start of the process
to Faust's "Worker ready"; ``restore_seconds`` is the part of the restore. Takeover: one of two workers under steady load is
killed; seconds from the kill to the first decision on one of its partitions.
"""

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.adapters.kafka.batch_producer import BatchProducer
from app.settings import KafkaSettings
from app.topics.topic_specs import profiles_changelog
from app.traffic.produce import produce
from bench.data import profiles
from bench.data.events import events
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.topic_progress import open_topic
from bench.harness.worker_process import BenchProcess

CONTESTANTS = {"ours": "app.worker", "stock_faust": "bench.contestants.stock_recovery"}
STOCK_CUSTOMERS = 100_000
"""Record by record, more customers would take minutes per turn."""
STOCK_LINES = ("Restoring state from changelog topics...", "Done reading from changelog topics")
BEHIND_SHARE = 0.01
READY_SECONDS = 900.0
TAKEOVER_SECONDS = 120.0
SETTLE_SECONDS = 1.0
"""Records sent by the killed worker have arrived by then; every session timeout is longer."""
LOAD_PER_SECOND = 500.0
POLL_SECONDS = 0.02


class Start(NamedTuple):
    """Duration of one start of a worker."""

    seconds: float
    """Time from the start of the process until it is ready."""
    restore_seconds: float
    """Part of the restore: as reported by our worker, or the time between Faust's two log lines about it."""


class Restarted(NamedTuple):
    """A start, and the number of changelog records restored in it."""

    start: Start
    records: int

    @property
    def per_second(self) -> int:
        """Restored records per second; 0 without records."""
        return round(self.records / max(self.start.restore_seconds, 0.001))


class Contestant:
    """A worker with a data directory that can be started several times."""

    def __init__(self, module: str, directory: Path, deployment: BenchDeployment) -> None:
        self._log = directory / "process.log"
        self._read_bytes = 0
        self.process = BenchProcess(
            directory,
            ("-m", "faust", "-A", module, "worker", "-l", "info"),
            deployment.environment() | {"FRAUDSTREAM_WORKER_LOG_FORMAT": "json"},
        )

    async def ready(self) -> dict[str, dict[str, Any]]:
        """Wait until the worker is ready; return its log events since the start by name, the last of each."""
        deadline = time.monotonic() + READY_SECONDS
        while "Worker ready" not in (logged := self._log_events()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the worker was not ready after {READY_SECONDS:.0f} s")
            self.process.cpu_seconds()  # raises when it has ended
            await asyncio.sleep(POLL_SECONDS)
        return logged

    async def restart(self) -> Start:
        """Start, wait until it is ready, stop."""
        self._read_bytes = self._log.stat().st_size if self._log.exists() else 0
        started = time.monotonic()
        with self.process:
            logged = await self.ready()
            return Start(time.monotonic() - started, _restore_seconds(logged))

    def _log_events(self) -> dict[str, dict[str, Any]]:
        logged = {}
        for line in self._log.read_bytes()[self._read_bytes :].splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                logged[str(entry.get("event")).rpartition("]: ")[2]] = entry
        return logged


def _restore_seconds(logged: dict[str, dict[str, Any]]) -> float:
    if "restored" in logged:
        return float(logged["restored"]["seconds"])
    begun, ended = (logged.get(line) for line in STOCK_LINES)
    if not begun or not ended:
        return 0.0
    times = [datetime.fromisoformat(line["timestamp"]) for line in (begun, ended)]
    return (times[1] - times[0]).total_seconds()


class Changelog:
    """A changelog with a record per customer, and later records for some of them."""

    def __init__(self, deployment: BenchDeployment, customers: int) -> None:
        self.deployment = deployment
        self.customers = customers
        self.records = 0

    async def fill(self, customers: int) -> int:
        """Write new profiles of ``customers`` customers; return the number of records."""
        settings = self.deployment.settings()
        sender = BatchProducer(settings.kafka)
        await sender.start()
        before = self.records
        for partition in range(self.deployment.partitions):
            for batch in profiles.records(partition, customers // self.deployment.partitions, seed=before):
                await sender.send(profiles_changelog(settings), partition, batch)
                self.records += len(batch)
        await sender.stop()
        return self.records - before


async def restarts(contestant: str, changelog: Changelog, directory: Path) -> dict[str, Restarted]:
    """Measure empty, warm and behind, one after the other on the same data directory."""
    worker = Contestant(CONTESTANTS[contestant], directory, changelog.deployment)
    empty = Restarted(await worker.restart(), changelog.records)
    warm = Restarted(await worker.restart(), 0)
    new_records = await changelog.fill(int(changelog.customers * BEHIND_SHARE))
    return {"empty": empty, "warm": warm, "behind": Restarted(await worker.restart(), new_records)}


async def takeover(deployment: BenchDeployment, directory: Path) -> float:
    """Return the seconds from the kill of one of two workers to the first decision on one of its partitions."""
    dead, other = (
        Contestant(CONTESTANTS["ours"], directory / name, deployment) for name in ("dead", "other")
    )
    async with _load(deployment):
        with other.process, dead.process:
            lost = await shared(dead, other)
            await _decided(deployment, lost)
            os.kill(dead.process.pid, signal.SIGKILL)
            killed = time.monotonic()
            await asyncio.sleep(SETTLE_SECONDS)
            return await _decided(deployment, lost) - killed


@asynccontextmanager
async def _load(deployment: BenchDeployment) -> AsyncIterator[None]:
    """Send transactions at a steady rate during the block."""
    sending = asyncio.create_task(
        produce(
            events(int(LOAD_PER_SECOND * (READY_SECONDS + TAKEOVER_SECONDS))),
            topic=deployment.settings().topics.transactions,
            kafka=deployment.servers,
            rate=LOAD_PER_SECOND,
        )
    )
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def shared(one: Contestant, two: Contestant) -> list[int]:
    """Wait until both workers have partitions; return those of ``one``."""
    while True:
        logged = await one.ready(), await two.ready()
        first, second = (set(events.get("restored", {}).get("partitions", [])) for events in logged)
        if first and second and not first & second:
            return sorted(first)
        await asyncio.sleep(POLL_SECONDS)


async def _decided(deployment: BenchDeployment, partitions: list[int]) -> float:
    """Wait for the first new decision on the partitions; return its monotonic time."""
    async with open_topic(
        deployment.servers, deployment.settings().topics.decisions, deployment.partitions
    ) as (
        consumer,
        all_,
    ):
        watched = [tp for tp in all_ if tp.partition in partitions]
        before = await consumer.end_offsets(watched)
        deadline = time.monotonic() + TAKEOVER_SECONDS
        while await consumer.end_offsets(watched) == before:
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing was decided within {TAKEOVER_SECONDS:.0f} s of the kill")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic()


def main() -> None:
    """Run, print and write ``bench/results/recovery.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", default="100000,1000000", help="numbers of customers, comma-separated")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    content = results.document(
        "bench.recovery",
        _run([int(count) for count in options.customers.split(",")], options.turns),
        partitions=PARTITIONS,
        profile_transactions=profiles.TRANSACTIONS,
        session_timeout_seconds=KafkaSettings().session_timeout_seconds,
    )
    results.publish("recovery", content, _table(content), as_json=options.json)


def _run(customer_counts: list[int], turns: int) -> list[dict[str, Any]]:
    measured: list[dict[str, Any]] = []
    with broker() as (stack, directory):
        for customers in customer_counts:
            changelog = Changelog(
                BenchDeployment(f"recovery-{customers}", stack.bootstrap_servers), customers
            )
            asyncio.run(_fill_first(changelog))
            for contestant in _contestants(customers):
                results.progress(f"{contestant}: {turns} x empty, warm and behind")
                taken = [
                    asyncio.run(
                        restarts(contestant, changelog, directory / f"{customers}-{contestant}-{number}")
                    )
                    for number in range(turns)
                ]
                measured += [_summary(contestant, customers, disk, taken) for disk in taken[0]]
        seconds = [
            asyncio.run(
                _takeover_once(BenchDeployment(f"takeover-{number}", stack.bootstrap_servers), directory)
            )
            for number in range(turns)
        ]
    return [*measured, {"contestant": "ours", "takeover_seconds": [round(taken, 2) for taken in seconds]}]


async def _fill_first(changelog: Changelog) -> None:
    results.progress(f"a changelog of {changelog.customers:,} customers")
    await changelog.deployment.make_topics()
    await changelog.fill(changelog.customers)


async def _takeover_once(deployment: BenchDeployment, directory: Path) -> float:
    results.progress(deployment.name)
    await deployment.make_topics()
    return await takeover(deployment, directory / deployment.name)


def _contestants(customers: int) -> list[str]:
    return [name for name in CONTESTANTS if name == "ours" or customers <= STOCK_CUSTOMERS]


def _summary(contestant: str, customers: int, disk: str, turns: list[dict[str, Restarted]]) -> dict[str, Any]:
    taken = [turn[disk] for turn in turns]
    return {
        "contestant": contestant,
        "customers": customers,
        "disk": disk,
        "seconds": [round(start.seconds, 2) for start, _ in taken],
        "restore_seconds": [round(start.restore_seconds, 3) for start, _ in taken],
        "records": [records for _, records in taken],
        "records_per_s": [restarted.per_second for restarted in taken],
    }


def _table(content: dict[str, Any]) -> str:
    *rows, takeovers = content["results"]
    lines = [
        (
            f"{row['contestant']}, {row['customers']:,} customers, {row['disk']}",
            *(f"{results.median(row[name]):,.1f}" for name in ("seconds", "restore_seconds")),
            f"{results.median(row['records_per_s']):,.0f}",
        )
        for row in rows
    ]
    lines += [
        ("ours, takeover after kill -9", f"{results.median(takeovers['takeover_seconds']):,.1f}", "", "")
    ]
    return results.table(("", "seconds", "of it restore", "records/s"), lines)


if __name__ == "__main__":
    main()
