"""Latency from an INSERT in Postgres to the decision on Kafka: `python -m bench.cdc [--json]`.

Postgres, Debezium in Kafka Connect, Kafka, one worker and the inserting application share the machine. A few weeks of rows
are in the table first and are decided before the measurement.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from app.demo.bank_run import CUSTOMERS, run
from app.demo.plan import Plan
from app.rendering.console import SafeConsole
from app.settings import Settings
from bench.harness import results


def main() -> None:
    """Run, print and write ``bench/results/cdc.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0, help="rows per second")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        plan = Plan(
            directory=Path(directory) / "demo",
            seconds=given.rows / given.rate,
            rate=given.rate,
            customers=CUSTOMERS,
        )
        found = run(plan, given.rows, Settings.from_env(), SafeConsole(stderr=True))
    content = results.document("bench.cdc", [{"rate": given.rate, **msgspec.structs.asdict(found)}])
    head = ["rows/s", "rows", "decided", "p50 ms", "p99 ms", "at most ms"]
    row = [
        f"{given.rate:g}",
        *map(str, (found.rows, found.decided, found.p50_ms, found.p99_ms, found.most_ms)),
    ]
    results.publish("cdc", content, results.table(head, [row]), as_json=given.json)
    sys.exit(0 if found.decided == found.rows and not found.repeated else 1)


if __name__ == "__main__":
    main()
