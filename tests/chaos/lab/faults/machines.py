"""Faults of one machine: its clock, its disk, and what it reaches besides the brokers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.lab.equipment import LabPart
from tests.chaos.lab.faults.fault import during_cut, fault
from tests.chaos.lab.lab_run import LabRun
from tests.support.workers import Worker

HOUR_SECONDS = 3600.0
CLOCK_WRONG = "ClockWrong"


@fault(
    "stops with ClockWrong and exit code 70 while a worker's clock is an hour slow; resumes afterwards",
    15,
    LabPart.CLOCKS,
    says=CLOCK_WRONG,
)
async def clock_slow(run: LabRun) -> AsyncIterator[None]:
    async with _wrong_clock(run, -HOUR_SECONDS):
        yield


@fault(
    "stops with ClockWrong and exit code 70 while a worker's clock is an hour fast; resumes afterwards",
    15,
    LabPart.CLOCKS,
    says=CLOCK_WRONG,
)
async def clock_fast(run: LabRun) -> AsyncIterator[None]:
    async with _wrong_clock(run, HOUR_SECONDS):
        yield


@asynccontextmanager
async def _wrong_clock(run: LabRun, seconds: float) -> AsyncIterator[None]:
    victim = run.any_worker()
    run.set_clock(victim, seconds)
    yield
    run.set_clock(victim, 0)


@fault(
    "stops with ClockWrong and exit code 70, or survives: a worker's clock steps by up to ten minutes every second",
    15,
    LabPart.CLOCKS,
)
async def clock_steps(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    stepping = asyncio.create_task(_step(run, victim))
    yield
    stepping.cancel()
    await asyncio.gather(stepping, return_exceptions=True)
    run.set_clock(victim, 0)


async def _step(run: LabRun, victim: Worker) -> None:
    while True:
        run.set_clock(victim, round(run.random.uniform(-600, 600)))
        await asyncio.sleep(1)


@fault("survives: a worker's machine loses power; only what was written back survives", 8, LabPart.DISKS)
async def power_lost(run: LabRun) -> AsyncIterator[None]:
    victim = run.any_worker()
    run.lose_power(victim)
    yield
    run.equipment.disks[victim.name].restore()
    run.restart_at_once(victim)


@fault("survives: a new worker's machine loses power before its files are written back", 5, LabPart.DISKS)
async def power_lost_soon(run: LabRun) -> AsyncIterator[None]:
    """Ext4 writes names every 5 s and contents after 30 s: in between, files that were not synchronized are empty."""
    (newest,) = await run.start_workers(1)
    await asyncio.sleep(run.random.uniform(3, 12))
    run.lose_power(newest)
    yield
    run.equipment.disks[newest.name].restore()
    empty = [file.name for file in newest.data_dir.glob("*.id") if not file.stat().st_size]
    run.expect(not empty, f"no file of the worker is empty{': ' if empty else ''}{', '.join(empty)}")
    run.restart_at_once(newest)


@fault("survives: Redis does not answer the workers; decisions are made without it", 15, LabPart.REDIS)
async def redis_out_of_reach(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.equipment.services], [run.host(worker) for worker in run.workers]):
        yield


@fault("survives: connections to Redis are refused", 15, LabPart.REDIS)
async def redis_refuses(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(
        run, [run.equipment.services], [run.host(worker) for worker in run.workers], reset=True
    ):
        yield


@fault(
    "waits: partitions with a record of an unknown schema wait while the registry does not answer; the record is a dead letter after",
    15,
    LabPart.REGISTRY,
)
async def registry_out_of_reach(run: LabRun) -> AsyncIterator[None]:
    async with during_cut(run, [run.equipment.services], [run.host(worker) for worker in run.workers]):
        yield
