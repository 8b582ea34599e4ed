"""Hours under a kill every ten minutes: ``python -m tests.chaos.soak [--hours 8]``.

The result replaces ``tests/chaos/results/soak.json``; ``python -m tests.chaos.page`` makes the table of docs/guarantees.md of
it. Exit code 1 when a figure grew or a guarantee was violated.
"""

import argparse
import asyncio
import sys
import tempfile
from functools import partial
from pathlib import Path

import msgspec

from tests.chaos.__main__ import quieten
from tests.chaos.cluster import Cluster
from tests.chaos.result_files import RESULTS
from tests.chaos.scenario import Result, Scenario, carry_out
from tests.chaos.soak.play import Plan, soak
from tests.chaos.soak.report import Soak, table
from tests.chaos.soak.sampling import Sample
from tests.support.bundle import write_models

FILE = RESULTS / "soak.json"
DECLARED = "survives: hours under a kill every ten minutes; memory, disk, handles and threads stay flat"


def main() -> int:
    """Play, publish, judge."""
    given = _arguments()
    quieten()
    plan = Plan(
        seconds=given.hours * 3600,
        kill_seconds=given.kill_minutes * 60,
        sample_seconds=given.sample_seconds,
        rate=given.rate,
        customers=given.customers,
    )
    samples: list[Sample] = []
    result = _play(plan, samples, given.seed, given.app)
    found = Soak(f"python -m tests.chaos.soak {' '.join(sys.argv[1:])}".strip(), plan, result, samples)
    if not given.no_file:
        FILE.write_bytes(msgspec.json.encode(found) + b"\n")
    print(table(found))  # noqa: T201
    return 0 if found.passed else 1


def _play(plan: Plan, samples: list[Sample], seed: int, app: str) -> Result:
    chosen = Scenario("soak", DECLARED, partial(soak, plan=plan, found=samples))
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        directory = Path(folder).resolve()  # as the links of open files say
        write_models(directory / "models")
        cluster = Cluster(directory / "cluster")
        try:
            playing = carry_out(chosen, cluster, directory, directory / "models", seed=seed, app=app)
            return asyncio.run(playing)
        finally:
            cluster.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--kill-minutes", type=float, default=10.0, help="minutes between two kills")
    parser.add_argument("--sample-seconds", type=float, default=10.0, help="seconds between two samples")
    parser.add_argument("--rate", type=int, default=300, help="transactions per second")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--app", default="app.worker", help="the Faust app that the workers run")
    parser.add_argument("--no-file", action="store_true", help="leave the result file as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
