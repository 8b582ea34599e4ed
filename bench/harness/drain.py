"""Measures one contestant that drains a backlog once."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from app.local import ports
from app.local.state import Stack
from bench.contestants.roster import Contestant
from bench.data.events import events as stream
from bench.harness.broker import cpu_seconds
from bench.harness.deployment import BenchDeployment
from bench.harness.stages import seconds_per_stage
from bench.harness.topic_progress import Reading, span, wait_for
from bench.harness.worker_process import BenchProcess


class Entry(NamedTuple):
    """A contestant, its number of processes and the number of events."""

    contestant: Contestant
    workers: int
    events: int

    @property
    def name(self) -> str:
        return f"{self.contestant.name}-{self.workers}"


class Drained(NamedTuple):
    """The figures of one turn."""

    events_per_s: float
    cpu_seconds_per_million: float
    broker_cpu_seconds_per_million: float
    stage_us_per_event: dict[str, float]
    """Of our worker, start-up included. Send and changelog are waits that overlap the computation of other chunks."""


async def drain(entry: Entry, deployment: BenchDeployment, stack: Stack, directory: Path) -> Drained:
    """Send the backlog, then run the processes until the last decision."""
    await deployment.make_topics()
    await deployment.fill(stream(entry.events))
    decisions = deployment.settings().topics.decisions
    ours = entry.contestant.name == "ours"
    metrics_ports = [ports.choose() for _ in range(entry.workers)] if ours else []
    with ExitStack() as running:
        processes = [
            running.enter_context(_process(entry, deployment, directory, number, metrics_ports))
            for number in range(entry.workers)
        ]
        readings = await wait_for(
            deployment.servers, decisions, deployment.partitions, entry.events, _reader(processes, stack)
        )
        stages = seconds_per_stage(metrics_ports)
    made = await span(deployment.servers, decisions, deployment.partitions)
    cpu, broker_cpu = _per_million(readings, entry.events)
    return Drained(
        made.per_second,
        cpu,
        broker_cpu,
        {stage: seconds / entry.events * 1e6 for stage, seconds in stages.items()},
    )


def _process(
    entry: Entry, deployment: BenchDeployment, directory: Path, number: int, metrics_ports: list[int]
) -> BenchProcess:
    environment = deployment.environment()
    if metrics_ports:
        environment["FRAUDSTREAM_WORKER_METRICS_PORT"] = str(metrics_ports[number])
    arguments, python = entry.contestant.arguments, entry.contestant.python
    return BenchProcess(directory / f"{deployment.name}-{number}", arguments, environment, python)


def _reader(processes: list[BenchProcess], stack: Stack) -> Callable[[int], Reading]:
    return lambda found: Reading(
        found, sum(process.cpu_seconds() for process in processes), cpu_seconds(stack)
    )


def _per_million(readings: list[Reading], count: int) -> tuple[float, float]:
    """Return CPU seconds per million events of the contestant and of the broker, without the start-up.

    When all decisions were there at the first reading, the start-up is included and the broker's figure is NaN.
    """
    first, last = readings[0], readings[-1]
    if last.records <= first.records:
        return last.cpu_seconds / count * 1e6, float("nan")
    share = 1e6 / (last.records - first.records)
    return (
        (last.cpu_seconds - first.cpu_seconds) * share,
        (last.broker_cpu_seconds - first.broker_cpu_seconds) * share,
    )
