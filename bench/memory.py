"""Memory and disk of a worker, by number of customers and over time: `python -m bench.memory [--json]`.

Each number of customers gets a worker of its own. Every customer pays a few times, then memory and disk are read. The
largest one continues with a steady phase: constant rate, random customers, memory read every few seconds. Event time
advances at the same speed as before, so that profiles neither grow nor shrink: growth of memory would be a leak.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from app.local import ports
from app.local.state import Stack
from bench.data.customers import Customers
from bench.harness import results, steady
from bench.harness.broker import broker
from bench.harness.deployment import BenchDeployment
from bench.harness.footprint import Memory, disk_bytes, gauges
from bench.harness.observed_worker import ObservedWorker
from bench.harness.steady import MIB, Steady
from bench.harness.worker_process import WorkerProcess

ALL = "3000x1000,30000x100,100000x10,1000000x3"
EVENTS_EACH = 3
SETTLE_SECONDS = 5.0
"""Time after the last decision for RocksDB's background work."""


async def measure(
    customers: Customers, phase: Steady | None, stack: Stack, directory: Path
) -> list[dict[str, Any]]:
    """Return rows of the result file: one for the customers, and one for the steady phase if there is one."""
    deployment = BenchDeployment(f"memory-{customers.number}", stack.bootstrap_servers)
    await deployment.make_topics()
    port = ports.choose()
    environment = deployment.environment() | {"FRAUDSTREAM_WORKER_METRICS_PORT": str(port)}
    with WorkerProcess(directory / deployment.name, environment) as process:
        observed = ObservedWorker(process, deployment, port, directory / deployment.name / "data", stack)
        rows = [_row(customers, await _fill(customers, observed), observed)]
        if phase:
            rows.append(steady.row(phase, await steady.resident(phase, observed)))
    return rows


async def _fill(customers: Customers, observed: ObservedWorker) -> Memory:
    """Let every customer pay; return the memory at the time when one percent had paid once."""
    events = customers.transactions(customers.everyone(customers.events_per_window))
    few = max(1, customers.number // 100)
    await observed.send(islice(events, few))
    await observed.decided(few)
    start = observed.memory()
    await observed.send(events)
    await observed.decided(customers.events)
    await asyncio.sleep(SETTLE_SECONDS)
    return start


def _row(customers: Customers, start: Memory, observed: ObservedWorker) -> dict[str, Any]:
    now, disk = observed.memory(), disk_bytes(observed.data)
    metrics = gauges(observed.metrics_port)
    return {
        "contestant": "ours",
        "workers": 1,
        "partitions": observed.deployment.partitions,
        "customers": customers.number,
        "events_per_customer": customers.events_per_window,
        "rss_start_bytes": start.rss,
        "rss_bytes": now.rss,
        "pss_bytes": now.pss,
        "rss_peak_bytes": now.peak_rss,
        "disk_bytes": disk,
        "rss_bytes_per_customer": round((now.rss - start.rss) / customers.number, 1),
        "disk_bytes_per_customer": round(disk / customers.number, 1),
        "profiles_cached": int(metrics["profiles_cached"]),
        "profile_cache_bytes": int(metrics["profile_cache_bytes"]),
        "topic_bytes_per_event": {
            name: round(size / customers.events, 1) for name, size in observed.topic_bytes().items()
        },
    }


def run(
    every: Sequence[Customers], rate: float, hours: float, stack: Stack, directory: Path
) -> dict[str, Any]:
    """Measure and return the content of the result file; the steady phase follows the largest number of customers."""
    rows: list[dict[str, Any]] = []
    most = max(every, key=lambda customers: customers.number)
    for customers in every:
        results.progress(f"{customers.number:,} customers, {customers.events_per_window:,} transactions each")
        phase = Steady(customers, rate, hours) if hours and customers == most else None
        rows += asyncio.run(measure(customers, phase, stack, directory))
    return results.document("bench.memory", rows)


def table(content: Mapping[str, Any]) -> str:
    """Return a table of memory and disk by customers, followed by a line on the steady phase."""
    head = ("customers", "events each", "at start", "resident", "peak", "disk", "disk/customer", "cached")
    rows = [_cells(row) for row in content["results"] if "steady" not in row]
    phases = [steady.summary(row["steady"]) for row in content["results"] if "steady" in row]
    return "\n".join([results.table(head, rows), *phases])


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    sizes = ("rss_start_bytes", "rss_bytes", "rss_peak_bytes", "disk_bytes")
    return (
        f"{row['customers']:,}",
        f"{row['events_per_customer']:,}",
        *(f"{row[name] / MIB:,.0f} MiB" for name in sizes),
        f"{row['disk_bytes_per_customer']:,.0f} B",
        f"{row['profiles_cached']:,}",
    )


def customers_of(text: str) -> list[Customers]:
    """Parse numbers of customers, each with an optional number of payments.

    >>> customers_of("1000x10,20")
    [Customers(number=1000, events_per_window=10), Customers(number=20, events_per_window=3)]
    """
    parts = [part.partition("x") for part in text.split(",")]
    return [Customers(int(number), int(each or EVENTS_EACH)) for number, _, each in parts]


def main() -> None:
    """Run, print and write ``bench/results/memory.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--customers", type=customers_of, default=ALL, help="NUMBERxEVENTS_EACH, separated by commas"
    )
    parser.add_argument("--rate", type=float, default=2_000.0, help="events per second of the steady phase")
    parser.add_argument("--hours", type=float, default=0.05, help="hours of the steady phase; 0 for none")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    options = parser.parse_args()
    with broker() as (stack, directory):
        content = run(options.customers, options.rate, options.hours, stack, directory)
    results.publish("memory", content, table(content), as_json=options.json)


if __name__ == "__main__":
    main()
