"""Time from the close of a day to its report: `python -m bench.report [--json]`.

An analytics worker reads a day of decisions and labels. The last of them arrive at a steady rate; then the first decision
of the next day in every partition closes the day. The time from then until `fraudstream report DAY --out FILE` has written a
report with every decision and label of the day is measured, including the wait for the worker and the start of the command.
The same report computed by DuckDB from the worker's Parquet files must be equal; otherwise there is no result.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

from app.adapters.parquet_sink.day_files import DayFiles
from app.errors import InvalidFile
from app.reports.incremental import Kept, kept_report
from app.settings import Settings
from bench.data.day import DAY, DAY_NAME, Block, Day, DaySender
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import BenchDeployment
from bench.harness.worker_process import REPOSITORY, WorkerProcess

STEADY_RATE = 5_000
STEADY_SECONDS = 20
WAIT_SECONDS = 1_800.0
POLL_SECONDS = 0.1
ROLL_SECONDS = 20
_FRAUDSTREAM = "from app.cli import main; main()"


class Context(NamedTuple):
    """The settings, directory, worker and day of a run."""

    settings: Settings
    directory: Path
    worker: WorkerProcess
    day: Day

    @property
    def files(self) -> Path:
        return Path(self.settings.analytics.dir)


def main() -> None:
    """Run, print and write ``bench/results/report.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    with broker() as (stack, directory):
        content = asyncio.run(run(given.events, stack.bootstrap_servers, directory))
    results.publish("report", content, table(content), as_json=given.json)


async def run(
    events: int, servers: str, directory: Path, rate: int = STEADY_RATE, roll_seconds: int = ROLL_SECONDS
) -> dict[str, Any]:
    """Measure and return the content of the result file. Raises RuntimeError when batch and stream differ."""
    deployment = BenchDeployment("report", servers)
    await deployment.make_topics()
    environment = deployment.environment() | {
        "FRAUDSTREAM_WORKER_ROLE": "analytics",
        "FRAUDSTREAM_ANALYTICS_DIR": str(directory / "files"),
        "FRAUDSTREAM_ANALYTICS_ROLL_SECONDS": str(roll_seconds),
    }
    settings, day = Settings.from_env(environment), Day(events, deployment.partitions)
    with WorkerProcess(directory / "worker", environment) as worker:
        row = await _measure(Context(settings, directory, worker, day), rate)
    return results.document("bench.report", [row], partitions=deployment.partitions, day=DAY_NAME)


async def _measure(context: Context, rate: int) -> dict[str, Any]:
    day, sender = context.day, DaySender(context.settings)
    await sender.sender.start()
    steady = min(rate * STEADY_SECONDS, day.count // 2)
    labels = await _backlog(context, sender, day.count - steady)
    labels += await _steadily(sender, day, steady, rate)
    await sender.send(Block(day.close(), []))
    closed = time.monotonic()
    await sender.sender.stop()
    await _counted(context, day.count, labels, closed=True)
    kept = _report(context, "--out", str(context.directory / "report.html"))
    after_close = time.monotonic() - closed
    results.progress(f"the report was there {after_close:.1f} s after the close")
    await _in_files(context, labels)
    begin = time.monotonic()
    batch = _report(context, "--from-events", "--out", str(context.directory / "batch.html"))
    batch_seconds = time.monotonic() - begin
    if kept != batch or kept["total"]["transactions"] != day.count:
        raise RuntimeError("the report that was kept up to date and the batch differ")
    begin = time.monotonic()
    _report(context, "--out", str(context.directory / "again.html"))
    files = list(context.files.rglob("*.parquet"))
    return {
        "events": day.count,
        "labels": labels,
        "seconds_after_close": round(after_close, 2),
        "of_which_the_command": round(time.monotonic() - begin, 2),
        "batch_seconds": round(batch_seconds, 2),
        "equal": True,
        "files": len(files),
        "file_bytes": sum(file.stat().st_size for file in files),
        "figures_bytes": sum(file.stat().st_size for file in context.files.rglob("*.bin")),
        "worker_cpu_seconds_per_million": round(context.worker.cpu_seconds() * 1e6 / day.count, 1),
        "worker_rss_bytes": psutil.Process(context.worker.pid).memory_info().rss,
    }


async def _backlog(context: Context, sender: DaySender, end: int) -> int:
    """Send the backlog and wait until the worker has counted it; return the number of labels."""
    labels, begin = 0, time.monotonic()
    for block in context.day.blocks(0, end):
        await sender.send(block)
        labels += sum(map(len, block.labels))
    results.progress(f"{end:,} decisions sent in {time.monotonic() - begin:.0f} s")
    await _counted(context, end, 0, closed=False)
    results.progress(f"and counted by {time.monotonic() - begin:.0f} s")
    return labels


async def _steadily(sender: DaySender, day: Day, count: int, rate: int) -> int:
    labels, begin, sent, step = 0, time.monotonic(), 0, max(1, rate // 20)
    while sent < count:
        await asyncio.sleep(max(0.0, begin + sent / rate - time.monotonic()))
        first, sent = day.count - count + sent, min(sent + step, count)
        for block in day.blocks(first, day.count - count + sent):
            await sender.send(block)
            labels += sum(map(len, block.labels))
    return labels


async def _counted(context: Context, events: int, labels: int, *, closed: bool) -> Kept:
    """Wait until the worker has counted this many decisions and labels."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        context.worker.cpu_seconds()  # raises when the worker has ended
        try:
            kept = kept_report(context.files, DAY, DAY_NAME, top=1)
        except InvalidFile:
            kept = None
        if kept and _complete(kept, events, labels, closed=closed):
            return kept
        await asyncio.sleep(POLL_SECONDS if closed else 1.0)
    raise RuntimeError(f"{events} decisions were not counted in {WAIT_SECONDS:.0f} s")


def _complete(kept: Kept, events: int, labels: int, *, closed: bool) -> bool:
    total = kept.report.total
    counted = total.transactions >= events and total.judged >= labels
    return counted and not (closed and kept.open_partitions)


async def _in_files(context: Context, labels: int) -> None:
    """Wait until the whole day is in Parquet files."""
    files, partitions = DayFiles(context.files), range(context.settings.topics.partitions)
    expected = {"decisions": context.day.count + len(partitions), "labels": labels}
    deadline = time.monotonic() + WAIT_SECONDS
    for feed, count in expected.items():
        while sum(files.progress(feed, at).next_offset for at in partitions) < count:
            if time.monotonic() > deadline:
                raise RuntimeError("the worker does not write the records that it has read")
            await asyncio.sleep(1)


def _report(context: Context, *options: str) -> dict[str, Any]:
    words = [
        sys.executable,
        "-c",
        _FRAUDSTREAM,
        "report",
        DAY_NAME,
        "--directory",
        str(context.files),
        "--json",
    ]
    done = subprocess.run([*words, *options], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)  # noqa: S603  # ours
    report: dict[str, Any] = msgspec.json.decode(done.stdout)
    return report


def table(content: Mapping[str, Any]) -> str:
    """Return a table of both ways to make the report."""
    (row,) = content["results"]
    head = (f"{row['events']:,} events", "seconds until the report is there")
    rows = [
        ("kept up to date, from the day's close", f"{row['seconds_after_close']:.1f}"),
        ("of which the command itself", f"{row['of_which_the_command']:.1f}"),
        ("batch over the Parquet files (DuckDB)", f"{row['batch_seconds']:.1f}"),
    ]
    return results.table(head, rows)


if __name__ == "__main__":
    main()
