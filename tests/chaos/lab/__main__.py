"""Plays runs in the namespaces that `isolation` has made: ``python -m tests.chaos.lab SCENARIO=SEED=APP... --directory DIR``.

The result of each is a file in the directory.
"""

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from app.errors import ConfigurationError
from app.local.java import runtime
from tests.chaos.__main__ import quieten
from tests.chaos.lab import scenarios
from tests.chaos.lab.brokers import LabCluster
from tests.chaos.lab.isolation import Job
from tests.chaos.lab.lab_run import LabRun
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.lab.network import Network
from tests.chaos.scenario import Result, perform
from tests.support.bundle import write_models

TOPIC_ATTEMPTS = 5

assert scenarios.__all__  # the import registers all scenarios


def main() -> None:
    """Make the lab, and play."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.lab", description=__doc__)
    parser.add_argument("jobs", nargs="+", metavar="SCENARIO=SEED=APP")
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    given = parser.parse_args()
    quieten()
    # The first process of a namespace has no default handlers: without this one SIGTERM would be ignored.
    signal.signal(signal.SIGTERM, _leave)
    runtime.JVM_OPTIONS += ("-XX:TieredStopAtLevel=1",)  # brokers of a lab live for minutes
    write_models(given.directory / "models")
    cluster = LabCluster(given.directory / "cluster", Network())
    try:
        for named in given.jobs:
            scenario, seed, app = named.split("=")
            _play(Job(scenario, int(seed), app), given, cluster)
    finally:
        cluster.stop()


def _play(job: Job, given: argparse.Namespace, cluster: LabCluster) -> None:
    directory = given.directory / job.name
    directory.mkdir()
    run = LabRun(
        cluster, directory, given.directory / "models", seed=job.seed, scale=given.scale, app=job.app
    )
    try:
        result = asyncio.run(_performed(job.scenario, run))
    finally:
        run.leave()
    complete = directory / "result.json"
    complete.write_bytes(msgspec.json.encode(result))
    complete.rename(given.directory / f"{job.name}.json")


async def _performed(scenario: str, run: LabRun) -> Result:
    await run.cluster.whole()
    for _ in range(TOPIC_ATTEMPTS):
        with suppress(ConfigurationError):  # brokers that have just met again take their time
            await run.deployment.ensure_topics()
            break
    try:
        return await perform(LAB_SCENARIOS[scenario], run)
    finally:
        await run.deployment.delete_topics()


def _leave(number: int, _: Any) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
