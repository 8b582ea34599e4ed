"""Growth of the cost with customers, their history and partitions: `python -m bench.growth [--json]`.

One worker drains a backlog of uniformly random customers; one factor varies, the others are constant. The events after a
pre-fill, in which windows fill as far as possible, are measured:

customers            1,000 to 1,000,000, with 10 events each in the longest window, 4 partitions
events_per_customer  10 to 1,000 in the longest window, of 300 customers, 4 partitions
partitions           4 to 64, of 100,000 customers with 10 events each
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from app.local import ports
from app.local.state import Stack
from bench.data.customers import Customers
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import BenchDeployment
from bench.harness.event_cost import Counters, EventCost, between
from bench.harness.observed_worker import ObservedWorker
from bench.harness.worker_process import WorkerProcess

PARTITIONS = 4
EVENTS_PER_CUSTOMER = 10
LEAST_PREFILL_SHARE = 0.25
"""Share of the measured events that are sent before them: the worker starts and its chunks fill."""


class Case(NamedTuple):
    """One combination of factors; ``vary`` names the one that differs from the other cases of its group."""

    vary: str
    customers: Customers
    partitions: int = PARTITIONS

    @property
    def value(self) -> int:
        return {
            "customers": self.customers.number,
            "events_per_customer": self.customers.events_per_window,
            "partitions": self.partitions,
        }[self.vary]

    def prefill(self, events: int) -> int:
        """Return the number of events before the measured ones, at most as many as these."""
        return max(int(events * LEAST_PREFILL_SHARE), min(self.customers.events, events))


CASES = (
    *(Case("customers", Customers(number, EVENTS_PER_CUSTOMER)) for number in (1_000, 100_000, 1_000_000)),
    *(Case("events_per_customer", Customers(300, each)) for each in (10, 100, 1_000)),
    *(Case("partitions", Customers(100_000, EVENTS_PER_CUSTOMER), number) for number in (4, 16, 64)),
)


async def drain(
    case: Case, events: int, deployment: BenchDeployment, stack: Stack, directory: Path
) -> EventCost:
    """Measure one turn of one case."""
    prefill = case.prefill(events)
    payers = islice(case.customers.anyone(seed=0), prefill + events)
    await deployment.make_topics()
    await deployment.fill(case.customers.transactions(payers))
    port = ports.choose()
    environment = deployment.environment() | {"FRAUDSTREAM_WORKER_METRICS_PORT": str(port)}
    with WorkerProcess(directory / deployment.name, environment) as process:
        observed = ObservedWorker(process, deployment, port, directory / deployment.name / "data", stack)
        nothing = Counters(time.perf_counter())
        start = observed.counters(await observed.decided(prefill))
        end = observed.counters(await observed.decided(prefill + events))
    # Few events may all be decided at the first reading; then the start of the worker is included.
    return between(nothing if start.decisions == end.decisions else start, end)


def run(cases: Sequence[Case], events: int, turns: int, stack: Stack, directory: Path) -> dict[str, Any]:
    """Measure all cases and return the content of the result file."""
    measured: dict[Case, list[EventCost]] = {case: [] for case in cases}
    for number in range(turns):
        for case, taken in measured.items():
            name = f"growth-{number}-{case.vary}-{case.value}"
            deployment = BenchDeployment(name, stack.bootstrap_servers, case.partitions)
            taken.append(asyncio.run(drain(case, events, deployment, stack, directory)))
            results.progress(
                f"turn {number + 1}: {case.vary} {case.value:,} {taken[-1].events_per_s:,.0f} events/s"
            )
    return results.document(
        "bench.growth", [_row(case, taken) for case, taken in measured.items()], events=events
    )


def _row(case: Case, taken: Sequence[EventCost]) -> dict[str, Any]:
    return {
        "contestant": "ours",
        "workers": 1,
        "vary": case.vary,
        "value": case.value,
        "customers": case.customers.number,
        "events_per_customer": case.customers.events_per_window,
        "partitions": case.partitions,
        "events_per_s": [round(turn.events_per_s) for turn in taken],
        "cpu_seconds_per_million": [round(turn.cpu_seconds_per_million, 1) for turn in taken],
        "changelog_bytes_per_event": round(
            results.median([turn.changelog_bytes_per_event for turn in taken]), 1
        ),
        "rss_peak_bytes": max(turn.rss_peak_bytes for turn in taken),
        "stage_us_per_event": {
            stage: [round(turn.stage_us_per_event[stage], 2) for turn in taken]
            for stage in taken[0].stage_us_per_event
        },
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a table of the medians of the turns."""
    head = ("varied", "value", "events/s", "CPU s per million", "changelog B/event", "peak MiB")
    rows = [
        (
            row["vary"],
            f"{row['value']:,}",
            f"{results.median(row['events_per_s']):,.0f}",
            f"{results.median(row['cpu_seconds_per_million']):,.1f}",
            f"{row['changelog_bytes_per_event']:,.0f}",
            f"{row['rss_peak_bytes'] / 1024**2:,.0f}",
        )
        for row in content["results"]
    ]
    return results.table(head, rows)


def main() -> None:
    """Run, print and write ``bench/results/growth.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=300_000, help="measured events per turn and case")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--vary", default="customers,events_per_customer,partitions", help="factors to vary, comma-separated"
    )
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    cases = [case for case in CASES if case.vary in options.vary.split(",")]
    with broker() as (stack, directory):
        content = run(cases, options.events, options.turns, stack, directory)
    results.publish("growth", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
