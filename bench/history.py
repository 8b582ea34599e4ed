"""Memory of the commands that fold a history: `python -m bench.history [--json]`.

Simulated traffic of the same customers, once for half of the days and once for all: `features` of every row, and `train` on
a tenth of the legitimate rows. Each runs in a process of its own; the figure is the maximum resident set size.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pyarrow.parquet

from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from bench.harness import results
from bench.harness.worker_process import REPOSITORY

_FRAUDSTREAM = "from app.cli import main; main()"
LEGITIMATE_SHARE = 0.1


class Used(NamedTuple):
    """Memory and time of one command."""

    command: str
    days: int
    rows: int
    peak_mib: float
    seconds: float


def main() -> None:
    """Run, print and write ``bench/results/history.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=96)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="fraudstream-bench-") as directory:
        used = list(measure(given.customers, given.days, Path(directory)))
    content = results.document(
        "bench.history",
        [one._asdict() for one in used],
        customers=given.customers,
        legitimate_share=LEGITIMATE_SHARE,
    )
    results.publish("history", content, table(content), as_json=given.json)


def measure(customers: int, days: int, directory: Path) -> Iterator[Used]:
    """Run both commands on half of the days, then on all."""
    for length in (days // 2, days):
        history = directory / "history.parquet"
        traffic = Simulation(
            customers=customers, terminals=2 * customers, days=length, seed=3, start=date(2025, 1, 1)
        )
        write_simulation(traffic, history, lambda _: None)
        rows = pyarrow.parquet.read_metadata(history).num_rows
        for command, arguments in _commands(history, directory / f"models-{length}"):
            used = Used(command, length, rows, *_run(arguments))
            results.progress(f"{command}: {rows:,} rows, {used.peak_mib:,.0f} MiB, {used.seconds:.0f} s")
            yield used


def _commands(history: Path, models: Path) -> Iterator[tuple[str, Sequence[str]]]:
    features = history.with_name("features.parquet")
    yield "features", ("features", str(history), "--out", str(features))
    share = str(LEGITIMATE_SHARE)
    yield "train", ("train", str(history), "--out", str(models / "m" / "1"), "--legitimate-share", share)


def _run(arguments: Sequence[str]) -> tuple[float, float]:
    """Run a command; return the peak of resident memory in MiB, and seconds. Raises RuntimeError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603  # our own list of arguments
        [sys.executable, "-c", _FRAUDSTREAM, *arguments], cwd=REPOSITORY, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return usage.ru_maxrss / 1024, time.perf_counter() - started


def table(content: Mapping[str, Any]) -> str:
    """Return a table with a row per command and length."""
    rows = [
        (
            f"{row['command']}, {row['days']} days",
            f"{row['rows']:,}",
            f"{row['peak_mib']:,.0f}",
            f"{row['seconds']:,.0f}",
            f"{row['rows'] / row['seconds']:,.0f}",
        )
        for row in content["results"]
    ]
    return results.table(("command", "rows", "peak MiB", "seconds", "rows/s"), rows)


if __name__ == "__main__":
    main()
