"""Events per second while draining a backlog, of our worker and others: `python -m bench.throughput [--json]`.

Every turn has its own topics and consumer group on one broker on the same machine. Decisions are counted by the time at which
the broker appended them, after a warm-up of a fifth of the time. The whole path is measured: decoding, profiles in RocksDB
with their changelog, features, model, decisions, alerts. In the first turn the decisions of every contestant are compared
with ours. Contestants: bench/contestants.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.local.state import Stack
from bench.contestants.roster import Contestant, chosen
from bench.data.events import source
from bench.harness import equal_work, results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.drain import Drained, Entry, drain
from bench.harness.turns import in_turn

ALL = "ours,naive_faust,quix,echo"


def main() -> None:
    """Run, print and write ``bench/results/throughput.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--contestants", default=ALL, help=f"of {ALL}; ours runs with one worker and with two"
    )
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    with broker() as (stack, directory):
        content = run(chosen(options.contestants), options.events, options.turns, stack, directory)
    results.publish("throughput", content, table(content), as_json=options.json)


def run(
    contestants: Sequence[Contestant], count: int, turns: int, stack: Stack, directory: Path
) -> dict[str, Any]:
    """Measure and return the content of the result file."""
    entries = [entry for contestant in contestants for entry in _entries(contestant, count)]
    measured: dict[Entry, list[Drained]] = {entry: [] for entry in entries}
    compared: dict[str, int] = {}
    # Not counted: the broker's JVM compiles during its first half minute of load, on the measured cores.
    asyncio.run(drain(entries[0], BenchDeployment("warm-up", stack.bootstrap_servers), stack, directory))
    for number in range(turns):
        works: dict[Entry, equal_work.Work] = {}
        for entry, taken in in_turn(measured.items(), number):
            deployment = BenchDeployment(f"bench-{number}-{entry.name}", stack.bootstrap_servers)
            taken.append(asyncio.run(drain(entry, deployment, stack, directory)))
            results.progress(f"turn {number + 1}: {entry.name} {taken[-1].events_per_s:,.0f} events/s")
            if number == 0 and entry.contestant.scores:
                works[entry] = asyncio.run(equal_work.work(deployment))
        compared |= _compare(works)
    return results.document(
        "bench.throughput",
        [_row(entry, taken, compared) for entry, taken in measured.items()],
        source=source(),
        partitions=PARTITIONS,
    )


def _entries(contestant: Contestant, count: int) -> list[Entry]:
    workers = (1, 2) if contestant.name == "ours" else (1,)
    return [Entry(contestant, number, int(count * contestant.backlog_share)) for number in workers]


def _compare(works: Mapping[Entry, equal_work.Work]) -> dict[str, int]:
    """Return the number of decisions of each contestant that are equal to ours, by its name."""
    ours = next((work for entry, work in works.items() if entry.contestant.name == "ours"), None)
    if ours is None:
        return {}
    return {entry.name: equal_work.require_equal(ours, work, entry.name) for entry, work in works.items()}


def _row(entry: Entry, taken: Sequence[Drained], compared: Mapping[str, int]) -> dict[str, Any]:
    row = {
        "contestant": entry.contestant.name,
        "workers": entry.workers,
        "rate": None,
        "events": entry.events,
        "events_per_s": [round(turn.events_per_s) for turn in taken],
        "cpu_seconds_per_million": [round(turn.cpu_seconds_per_million, 1) for turn in taken],
        "broker_cpu_seconds_per_million": [round(turn.broker_cpu_seconds_per_million, 1) for turn in taken],
        "decisions_equal_to_ours": compared.get(entry.name),
    }
    if taken[0].stage_us_per_event:
        row["stage_us_per_event"] = {
            stage: [round(turn.stage_us_per_event[stage], 2) for turn in taken]
            for stage in taken[0].stage_us_per_event
        }
    return row


def table(content: Mapping[str, Any]) -> str:
    """Return a table of medians, relative to our single worker, and the time per stage of our worker."""
    rates = {
        (row["contestant"], row["workers"]): results.median(row["events_per_s"]) for row in content["results"]
    }
    ours = rates.get(("ours", 1))
    rows = [
        (
            f"{row['contestant']} x{row['workers']}",
            f"{row['events']:,}",
            f"{(rate := rates[row['contestant'], row['workers']]):,.0f}",
            f"{ours / rate:.2f}" if ours else "",
            f"{results.median(row['cpu_seconds_per_million']):,.1f}",
            f"{results.median(row['broker_cpu_seconds_per_million']):,.1f}",
        )
        for row in content["results"]
    ]
    head = ("contestant", "events", "events/s", "ours / it", "CPU s per million", "broker's")
    return results.table(head, rows) + "".join(map(_stages, content["results"]))


def _stages(row: Mapping[str, Any]) -> str:
    stages = row.get("stage_us_per_event", {})
    times = ", ".join(f"{stage} {results.median(values):.1f}" for stage, values in stages.items())
    return f"\nµs per event of {row['contestant']} x{row['workers']}: {times}" if times else ""


if __name__ == "__main__":
    main()
