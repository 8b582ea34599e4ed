"""What the fence at the broker costs: `python -m bench.fence [--json]`.

The same worker with the fence and without it, in alternating turns: events per second while draining a backlog
(bench/throughput.py), and milliseconds from a transaction to its alert at fixed rates (bench/latency.py). The figure is the median over
the turns of what it is with the fence, divided by what it is without in the same turn.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from bench import latency, throughput
from bench.contestants.roster import chosen
from bench.data.events import source
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS
from bench.harness.turns import median_ratio

CONTESTANTS = "ours,without_fence"


def main() -> None:
    """Run, print and write ``bench/results/fence.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=300_000, help="of the backlog")
    parser.add_argument("--rates", default="500,2000", help="events per second")
    parser.add_argument("--seconds", type=int, default=20, help="measured seconds per rate and turn")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    contestants = chosen(CONTESTANTS)
    rates = sorted(int(rate) for rate in given.rates.split(","))
    with broker() as (stack, directory):
        drained = throughput.run(contestants, given.events, given.turns, stack, directory)
        timed = latency.run(latency.Options(contestants, rates, given.seconds, given.turns), stack, directory)
    rows = _rows(drained["results"], timed["results"])
    content = results.document(
        "bench.fence", rows, source=source(), partitions=PARTITIONS, seconds=given.seconds
    )
    results.publish("fence", content, table(content), as_json=given.json)


def _rows(drained: Sequence[Mapping[str, Any]], timed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per measure, each with the value of every turn."""
    throughputs = [(f"events/s, workers: {row['workers']}", row, row["events_per_s"]) for row in drained]
    latencies = [
        (f"alert p99 ms at {row['rate']}/s", row, [turn["p99"] for turn in row["latency_ms_per_turn"]])
        for row in timed
    ]
    found: dict[str, dict[str, list[float]]] = {}
    for measure, row, turns in throughputs + latencies:
        found.setdefault(measure, {})[row["contestant"]] = turns
    return [
        _row(measure, turns) for measure, turns in found.items() if len(turns) == len(CONTESTANTS.split(","))
    ]


def _row(measure: str, turns: Mapping[str, list[float]]) -> dict[str, Any]:
    fenced, unfenced = turns["ours"], turns["without_fence"]
    ratio = median_ratio(fenced, unfenced) if fenced and len(fenced) == len(unfenced) else None
    return {
        "measure": measure,
        "with": fenced,
        "without": unfenced,
        "with_to_without": ratio and round(ratio, 3),
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a table of the medians and their ratio."""
    rows = [
        (
            row["measure"],
            f"{results.median(row['with']):,.1f}",
            f"{results.median(row['without']):,.1f}",
            f"{row['with_to_without']:.3f}",
        )
        for row in content["results"]
        if row["with_to_without"]
    ]
    return results.table(("measure", "with", "without", "with / without"), rows)


if __name__ == "__main__":
    main()
