"""`fraudstream score` and `features` on a file, against pandas on the same file: `python -m bench.batch [--json]`.

A turn is one process from its start to its exit; the contestants alternate. Both read the same Parquet file, compute the
same features, score with the same model and write Parquet. pandas does no checks and handles no late rows
(bench/contestants/pandas_features.py). Peak memory is the maximum resident set size that the system reports.
"""

import argparse
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet

from app.traffic.simulate import Simulation
from app.traffic.simulated_file import write_simulation
from bench.data import events
from bench.harness import results
from bench.harness.worker_process import BENCH_PYTHON, WORKER_PYTHON

ALL_EVENTS = 1_504_628
"""Number of events in the Handbook's file."""
WARM_UP_EVENTS = 1_000
WORKS = ("score", "features")
CONTESTANTS = ("ours", "pandas")
MODELS = Path(__file__).parents[1] / "models"
_SIMULATED_EVENTS_A_DAY = 10_000


class Ran(NamedTuple):
    """The figures of one process."""

    seconds: float
    told_seconds: float
    """Seconds that the process reports itself: without interpreter start, imports and loading of the model."""
    peak_rss_bytes: int


def command(contestant: str, work: str, file: Path, out: Path, mapping: str) -> list[str]:
    """Return the command line of a contestant: our command, or the pandas script."""
    if contestant == "ours":
        fraudstream = str(WORKER_PYTHON.with_name("fraudstream"))
        return [fraudstream, work, str(file), "--mapping", mapping, "--out", str(out), "--json"]
    score = ["--score", str(MODELS)] if work == "score" else []
    return [str(BENCH_PYTHON), "-m", "bench.contestants.pandas_batch", str(file), "--out", str(out), *score]


def run(words: list[str]) -> Ran:
    """Run and measure a process. Raises RuntimeError when it fails."""
    os.sync()  # our command fsyncs its file and would otherwise also wait for data of the process before
    environment = os.environ | {"FRAUDSTREAM_MODEL_DIR": str(MODELS)}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(words, stdout=output, env=environment)  # noqa: S603  # our own command
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{words[:2]} ended with {process.returncode}")
        output.seek(0)
        summary = json.loads(output.read())
    return Ran(seconds, summary["seconds"], usage.ru_maxrss * 1024)


def input_file(count: int, directory: Path) -> Path:
    """Return a Parquet file of the first ``count`` events: of the Handbook if available, otherwise simulated."""
    source = events.HANDBOOK if events.HANDBOOK.exists() else _simulated(count, directory)
    if count >= pyarrow.parquet.read_metadata(source).num_rows:
        return source
    file = directory / f"first-{count}.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(source).slice(0, count), file)
    return file


def _simulated(count: int, directory: Path) -> Path:
    file = directory / "simulated.parquet"
    if not file.exists():
        days = count // _SIMULATED_EVENTS_A_DAY + 1
        simulation = Simulation(customers=5_000, terminals=10_000, days=days, seed=0, start=date(2025, 1, 1))
        write_simulation(simulation, file, lambda _: None)
    return file


def _turns(file: Path, turns: int, directory: Path) -> dict[tuple[str, str], list[Ran]]:
    mapping = "handbook" if events.HANDBOOK.exists() else "contract"
    pairs = list(itertools.product(WORKS, CONTESTANTS))
    ran: dict[tuple[str, str], list[Ran]] = {pair: [] for pair in pairs}
    warm_up = input_file(WARM_UP_EVENTS, directory)
    for turn, (work, contestant) in itertools.product(range(turns + 1), pairs):
        given = file if turn else warm_up
        measured = run(command(contestant, work, given, directory / "out.parquet", mapping))
        if turn:
            ran[work, contestant].append(measured)
            results.progress(f"turn {turn}: {work} by {contestant} in {measured.seconds:.1f} s")
    return ran


def _summary(work: str, contestant: str, count: int, ran: list[Ran]) -> dict[str, Any]:
    return {
        "contestant": contestant,
        "work": work,
        "events": count,
        "events_per_s": [round(count / turn.seconds) for turn in ran],
        "seconds": [round(turn.seconds, 3) for turn in ran],
        "told_events_per_s": [round(count / turn.told_seconds) for turn in ran],
        "peak_rss_bytes": [turn.peak_rss_bytes for turn in ran],
    }


def table(found: list[dict[str, Any]]) -> str:
    """Return a table of medians and of the speed relative to pandas."""
    head = ("work", "contestant", "events/s", "self-reported", "seconds", "peak MB", "ours / pandas")
    return results.table(head, list(_rows(found)))


def _rows(found: list[dict[str, Any]]) -> Iterator[list[str]]:
    speeds = {(row["work"], row["contestant"]): results.median(row["events_per_s"]) for row in found}
    for row in found:
        work, contestant = row["work"], row["contestant"]
        ratio = speeds[work, "ours"] / speeds[work, "pandas"]
        yield [
            work,
            contestant,
            f"{speeds[work, contestant]:,.0f}",
            f"{results.median(row['told_events_per_s']):,.0f}",
            f"{results.median(row['seconds']):.1f}",
            f"{results.median(row['peak_rss_bytes']) / 1e6:,.0f}",
            f"{ratio:.2f}" if contestant == "ours" else "",
        ]


def main() -> None:
    """Run, print and write ``bench/results/batch.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=ALL_EVENTS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = input_file(options.events, Path(name))
        count = pyarrow.parquet.read_metadata(file).num_rows
        ran = _turns(file, options.turns, Path(name))
    found = [_summary(work, contestant, count, runs) for (work, contestant), runs in ran.items()]
    content = results.document("bench.batch", found, source=events.source())
    results.publish("batch", content, table(found), as_json=options.json)


if __name__ == "__main__":
    main()
