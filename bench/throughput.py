"""How many events a second a backlog is drained with: `python -m bench.throughput [--json]`.

Every turn has its own topics and consumer group on one broker beside it. Counted are decisions, after a warm-up
of a fifth of the time, by the timestamps their records got when they were made. The whole path is on: decode,
profiles in RocksDB with their changelog, features, model, decisions, alerts.
"""

import argparse
import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import results
from bench.broker import broker
from bench.events import events, source
from bench.turn import PARTITIONS, Turn
from bench.watch import Reading, span, wait_for
from bench.worker_process import WorkerProcess


async def drain(count: int, workers: int, turn: Turn, directory: Path) -> dict[str, float]:
    """One turn: a backlog of ``count`` events, then ``workers`` workers until the last decision."""
    await turn.make_topics()
    await turn.fill(events(count))
    decisions = turn.settings().topics.decisions
    with ExitStack() as running:
        processes = [
            running.enter_context(WorkerProcess(directory / f"{turn.name}-{number}", turn.environment()))
            for number in range(workers)
        ]
        readings = await wait_for(
            turn.servers,
            decisions,
            turn.partitions,
            count,
            lambda found: Reading(found, sum(process.cpu_seconds() for process in processes)),
        )
    made = await span(turn.servers, decisions, turn.partitions)
    return {
        "events_per_s": made.per_second,
        "cpu_seconds_per_million": readings[-1].cpu_seconds / count * 1e6,
    }


def main() -> None:
    """Run, print and write ``bench/results/throughput.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    measured = _run(options.events, options.turns)
    content = results.document(
        "bench.throughput",
        [_summary(workers, turns) for workers, turns in measured.items()],
        events=options.events,
        source=source(),
        partitions=PARTITIONS,
    )
    results.publish("throughput", content, _table(content), as_json=options.json)


def _run(count: int, turns: int) -> dict[int, list[dict[str, float]]]:
    measured: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    with broker() as (stack, directory):
        for number in range(turns):
            for workers, taken in measured.items():
                turn = Turn(f"bench-{number}-{workers}", stack.bootstrap_servers)
                taken.append(asyncio.run(drain(count, workers, turn, directory)))
    return measured


def _summary(workers: int, turns: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "contestant": "ours",
        "workers": workers,
        "rate": None,
        "events_per_s": [round(turn["events_per_s"]) for turn in turns],
        "cpu_seconds_per_million": [round(turn["cpu_seconds_per_million"], 1) for turn in turns],
    }


def _table(content: dict[str, Any]) -> str:
    rows = [
        (
            f"{row['contestant']} x{row['workers']}",
            f"{results.median(row['events_per_s']):,.0f}",
            f"{results.median(row['cpu_seconds_per_million']):,.1f}",
        )
        for row in content["results"]
    ]
    return results.table(("contestant", "events/s", "CPU s per million"), rows)


if __name__ == "__main__":
    main()
