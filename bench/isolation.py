"""Influence of an analytics worker on scoring: `python -m bench.isolation [--json]`.

A risk worker at a steady rate is measured as in `bench.latency`. Beside it runs an analytics worker that is stopped
(SIGSTOP), crashes every few seconds (`kill -9`, restarted on its files), or is flooded: it reads a long backlog as fast as
it can. The two share only the cores of the machine and the broker.
"""

import argparse
import asyncio
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.errors import TopicMismatch
from app.local.state import Stack
from app.settings import Settings
from app.topics.provisioning import ensure, require
from bench.contestants.roster import ROSTER
from bench.data import alerting
from bench.data.day import Day, DaySender
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.rate_run import Expected, Plan, RateResult, run_at_rate
from bench.harness.worker_process import WorkerProcess
from bench.latency import ALERT_SHARE

CONDITIONS = ("alone", "beside", "stopped", "crashed", "flooded")
START_SECONDS = 12.0
"""Time until a worker reads, on a busy machine."""
LIFE_SECONDS = 8.0
FLOOD = "isolation-flood"


class Options(NamedTuple):
    """The options of a run."""

    rate: int
    seconds: int
    turns: int
    flood_events: int


def main() -> None:
    """Run, print and write ``bench/results/isolation.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=1_000, help="events per second")
    parser.add_argument("--seconds", type=int, default=20, help="measured seconds per condition and turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--flood-events", type=int, default=3_000_000, help="backlog of the flooded worker")
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    options = Options(given.rate, given.seconds, given.turns, given.flood_events)
    with broker() as (stack, directory):
        content = run(options, stack, directory)
    results.publish("isolation", content, table(content), as_json=given.json)


def run(options: Options, stack: Stack, directory: Path) -> dict[str, Any]:
    """Measure and return the content of the result file. Raises RuntimeError when a decision is missing or wrong."""
    plan = Plan(options.rate, options.seconds)
    expected = _expected(plan, directory)
    asyncio.run(_flood(BenchDeployment(FLOOD, stack.bootstrap_servers), options.flood_events))
    taken: dict[str, list[RateResult]] = {condition: [] for condition in CONDITIONS}
    asyncio.run(
        _one(
            "alone", plan, expected, BenchDeployment("isolation-warm-up", stack.bootstrap_servers), directory
        )
    )
    for number in range(options.turns):
        for condition in CONDITIONS:
            deployment = BenchDeployment(f"isolation-{number}-{condition}", stack.bootstrap_servers)
            shown = asyncio.run(_one(condition, plan, expected, deployment, directory))
            results.progress(f"turn {number + 1}, {condition}: {_summary(shown)}")
            taken[condition] += [shown] if shown else []
    rows = [_row(condition, plan, turns) for condition, turns in taken.items()]
    return results.document(
        "bench.isolation", rows, partitions=PARTITIONS, seconds=options.seconds, alert_share=ALERT_SHARE
    )


async def _one(
    condition: str, plan: Plan, expected: Expected, deployment: BenchDeployment, directory: Path
) -> RateResult | None:
    """Measure one turn; None when the rate was not sustained."""
    place = directory / deployment.name
    async with _neighbour(condition, deployment, place / "analytics"):
        return await run_at_rate(ROSTER["ours"], plan, expected, deployment, place)


def _summary(shown: RateResult | None) -> str:
    return "not sustained" if shown is None else f"{shown.decision_latency_ms} ms"


@asynccontextmanager
async def _neighbour(condition: str, deployment: BenchDeployment, directory: Path) -> AsyncIterator[None]:
    neighbour = asyncio.create_task(_NEIGHBOURS[condition](deployment, directory))
    try:
        yield
        if neighbour.done():
            neighbour.result()
            raise RuntimeError(f"the worker beside has ended: {condition}")
    finally:
        neighbour.cancel()
        with suppress(asyncio.CancelledError):
            await neighbour


async def _alone(_: BenchDeployment, __: Path) -> None:
    await asyncio.Event().wait()


async def _beside(deployment: BenchDeployment, directory: Path) -> None:
    with await _start(deployment, directory):
        await asyncio.Event().wait()


async def _stopped(deployment: BenchDeployment, directory: Path) -> None:
    with await _start(deployment, directory) as worker:
        await asyncio.sleep(START_SECONDS)
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            await asyncio.Event().wait()
        finally:
            os.kill(worker.pid, signal.SIGKILL)


async def _crashed(deployment: BenchDeployment, directory: Path) -> None:
    while True:
        with await _start(deployment, directory) as worker:
            await asyncio.sleep(LIFE_SECONDS)
            os.kill(worker.pid, signal.SIGKILL)


async def _flooded(deployment: BenchDeployment, directory: Path) -> None:
    """Read the whole backlog again and again, each time with a new group and directory."""
    flood = BenchDeployment(FLOOD, deployment.servers)
    settings = Settings.from_env(flood.environment())
    while True:
        name = uuid.uuid4().hex[:8]
        environment = {
            "FRAUDSTREAM_ANALYTICS_APP_ID": f"{FLOOD}-{name}",
            "FRAUDSTREAM_TOPICS_DECISIONS": settings.topics.decisions,
        }
        with await _start(deployment, directory / name, **environment):
            await asyncio.sleep(60)
        shutil.rmtree(directory / name)


_NEIGHBOURS = {
    "alone": _alone,
    "beside": _beside,
    "stopped": _stopped,
    "crashed": _crashed,
    "flooded": _flooded,
}


async def _start(deployment: BenchDeployment, directory: Path, **settings: str) -> WorkerProcess:
    """Return an analytics worker, once the topics of the turn exist."""
    environment = deployment.environment() | {
        "FRAUDSTREAM_WORKER_ROLE": "analytics",
        "FRAUDSTREAM_ANALYTICS_DIR": str(directory / "files"),
        "FRAUDSTREAM_ANALYTICS_ROLL_SECONDS": "5",
    }
    while not await _are_there(deployment):  # noqa: ASYNC110  # brokers send no event
        await asyncio.sleep(0.2)
    return WorkerProcess(directory / "worker", environment | settings)


async def _are_there(deployment: BenchDeployment) -> bool:
    try:
        await require(deployment.settings())
    except TopicMismatch:
        return False
    return True


async def _flood(deployment: BenchDeployment, events: int) -> None:
    await ensure(deployment.settings())
    day, sender = Day(events, deployment.partitions), DaySender(deployment.settings())
    await sender.sender.start()
    for block in day.blocks(0, events):
        await sender.send(block)
    await sender.sender.stop()


def _expected(plan: Plan, directory: Path) -> Expected:
    counted = alerting.scores(plan.end, directory)[plan.counted_from :]
    review = alerting.threshold(counted, ALERT_SHARE)
    models = alerting.models(review, directory / "models")
    return Expected(models, set((np.flatnonzero(counted >= review) + plan.counted_from).tolist()))


def _row(condition: str, plan: Plan, taken: Sequence[RateResult]) -> dict[str, Any]:
    """Return the medians and the single values of the turns in which the rate was sustained."""
    turns = [turn.decision_latency_ms for turn in taken]
    names = turns[0] if turns else ()
    return {
        "analytics": condition,
        "rate": plan.rate,
        "sustained_turns": len(turns),
        "decision_latency_ms": {name: results.median([turn[name] for turn in turns]) for name in names},
        "decision_latency_ms_per_turn": turns,
        "alert_latency_ms_per_turn": [turn.latency_ms for turn in taken],
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a table of the medians in milliseconds, from intended send to decision received."""
    head = ("analytics", "events/s", "p50", "p99", "p99.9", "max")
    return results.table(head, [_line(row) for row in content["results"]])


def _line(row: Mapping[str, Any]) -> Sequence[str]:
    latency = row["decision_latency_ms"]
    if not latency:
        return (row["analytics"], f"{row['rate']:,}", "not sustained", "", "", "")
    return (
        row["analytics"],
        f"{row['rate']:,}",
        *(f"{latency[name]:.1f}" for name in ("p50", "p99", "p999", "max")),
    )


if __name__ == "__main__":
    main()
