"""Disks that are damaged or full."""

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.run import Run
from tests.chaos.scenario import scenario
from tests.chaos.traffic import renamed, transactions
from tests.support.reading import TABLE

FILLING = 40_000
"""Transactions, also in a short run: fewer would stay in write buffers and not reach the disk."""
SMALL_BUFFERS = {"FRAUDSTREAM_WORKER_ROCKSDB_WRITE_BUFFERS_BYTES": str(1024 * 1024)}
"""Small, so that writes reach the disk during the scenario."""


@scenario("survives: damaged RocksDB files are moved aside, the changelog restores them; the log says so")
async def store_damaged(run: Run) -> None:
    (worker,) = await run.start_workers(1, **SMALL_BUFFERS)
    async with run.traffic(count=int(30_000 * run.scale), rate=800) as traffic:
        await asyncio.sleep(run.seconds(15))
        await run.stop(worker)
        tables = worker.data_dir / "v1" / "tables"
        damage = {0: flip_tables, 1: truncate_tables, 2: cut_manifest, 3: spoil_current, 4: delete_tables}
        for partition, spoil in damage.items():
            spoil(tables / f"{TABLE}-{partition}.db")
            run.note(f"partition {partition}: {spoil.__name__}", fault=True)
        await run.restart(worker)
        await run.recovered()
        run.note(f"{traffic.sent} sent so far")
    aside = worker.lines_with("store_quarantined")
    run.expect(aside >= len(damage), f"{aside} of {len(damage)} damaged databases moved aside")


def flip_tables(database: Path) -> None:
    """Flip one bit in each kilobyte of the table files."""
    for file in database.glob("*.sst"):
        content = bytearray(file.read_bytes())
        for at in range(0, len(content), 1024):
            content[at] ^= 0x10
        file.write_bytes(content)


def truncate_tables(database: Path) -> None:
    for file in database.glob("*.sst"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def delete_tables(database: Path) -> None:
    for file in database.glob("*.sst"):
        file.unlink()


def cut_manifest(database: Path) -> None:
    for file in database.glob("MANIFEST-*"):
        file.write_bytes(file.read_bytes()[:20])


def spoil_current(database: Path) -> None:
    (database / "CURRENT").write_bytes(b"\0" * 16)


@scenario(
    "stops with StoreFailed and exit code 70 when the disk is full; resumes by itself when there is room again"
)
async def disk_full(run: Run) -> None:
    """Needs the permission to mount a file system."""
    worker = run.worker(**SMALL_BUFFERS)
    with small_disk(worker.data_dir, "8m"):
        worker.start()
        async with run.traffic(FILLING, rate=1_500, customers=20_000):
            await run.deployment.decided(2_000)
            filler = fill(worker.data_dir)
            run.note("something else has filled the disk", fault=True)
            await run.ended_by_itself()
            run.expect("FRAUDSTREAM_WORKER_DATA_DIR" in worker.text(), "its log names the data directory")
            await asyncio.sleep(run.seconds(10))
            filler.unlink()
            run.note("there is room again")
            await run.recovered()
        await run.drained()
        await run.stop(worker)
        run.keep_stores()


@scenario(
    "stops with StoreFailed and exit code 70 when the disk is too small for what is restored; resumes when there is room"
)
async def disk_full_while_restoring(run: Run) -> None:
    """Needs the right to mount a file system of its own. RocksDB reports a failed flush at the next write."""
    (first,) = await run.start_workers(1, **SMALL_BUFFERS)
    async with run.traffic(FILLING, rate=3_000, customers=20_000):
        pass
    await run.drained()
    await run.stop(first)
    worker = run.worker(**SMALL_BUFFERS)
    later = (renamed(record) for record in transactions(FILLING // 2, run.seed + 1, 20_000))
    with small_disk(worker.data_dir, "1m"):
        worker.start()
        run.note("a new worker on a disk that is too small for the profiles", fault=True)
        async with run.sending(later, rate=1_000):
            await run.ended_by_itself()
            run.expect("FRAUDSTREAM_WORKER_DATA_DIR" in worker.text(), "its log names the data directory")
            mount("-o", "remount,size=256m", str(worker.data_dir))
            run.note("there is room")
        await run.recovered()
        await run.drained()
        await run.stop(worker)
        run.keep_stores()


def fill(place: Path) -> Path:
    """Fill the file system with one file."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """Mount a file system in memory."""
    place.mkdir(parents=True)
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)  # noqa: S603, S607  # ours


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)  # noqa: S603, S607  # ours
