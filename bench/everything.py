"""Cost of features of terminals, a challenger and reasons: `python -m bench.everything [--json]`.

The same worker drains the same backlog in alternating turns: without Redis, challenger and alerts, and with all of them.
Before the measurement it has decided a part of the stream, and an entities worker has written the state of all entities to
Redis. That worker is then stopped, or continues to run and shares the cores. Afterwards every decision is checked for the
conditions of its turn; otherwise there is no result.

Several days of the Handbook pass in a second of such a backlog, and a cached answer of Redis is valid for an hour of event
time. Nearly every chunk therefore reads all of its entities from Redis, as with more customers and terminals than fit into
the cache.
"""

import argparse
import asyncio
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.adapters.models import manifest
from app.adapters.models.aliases import bundle_path, read_aliases
from app.local import ports
from app.local.state import Stack
from bench.data import alerting
from bench.data.events import source
from bench.data.numbered import numbered
from bench.harness import results
from bench.harness.broker import broker
from bench.harness.deployment import PARTITIONS, BenchDeployment
from bench.harness.redis_filled import wait_for_redis
from bench.harness.stages import seconds_per_stage
from bench.harness.topic_progress import WARM_UP_SHARE, Reading, open_topic, wait_for
from bench.harness.worker_process import BenchProcess, WorkerProcess

NOTHING, ALL, BESIDE = "without them", "with all of them", "with all, entities worker beside"
PRIME_EVENTS = 50_000
UNBOUNDED_MS = "60000"
"""Budget of the challenger, large enough that no chunk skips it: a skipped challenger costs nothing."""
PATIENT_SECONDS = "2"
"""Read deadline of Redis, large enough that every chunk gets its answer."""


class Plan(NamedTuple):
    """The options of a run."""

    events: int
    turns: int


class Counters(NamedTuple):
    """Decisions in the topic and CPU time of the worker at one moment."""

    seconds: float
    decisions: int
    cpu_seconds: float


class Drained(NamedTuple):
    """The figures of one turn."""

    events_per_s: float
    cpu_seconds_per_million: float
    stage_us_per_event: dict[str, float]
    alerts: int


class Noted(msgspec.Struct):
    """The fields of a decision that are checked."""

    outcome: str
    degraded: list[str]
    shadow: dict[str, float] = {}


def main() -> None:
    """Run, print and write ``bench/results/everything.json``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print the result file instead of a table")
    given = parser.parse_args()
    with broker() as (stack, directory):
        content = asyncio.run(run(Plan(given.events, given.turns), stack, directory))
    results.publish("everything", content, table(content), as_json=given.json)


async def run(plan: Plan, stack: Stack, directory: Path) -> dict[str, Any]:
    """Measure all turns and return the content of the result file."""
    measured: dict[str, list[Drained]] = {NOTHING: [], ALL: [], BESIDE: []}
    # Not counted: the broker's JVM compiles during its first half minute of load, on the measured cores.
    await drain(ALL, "warm-up", plan._replace(events=plan.events // 2), stack, directory)
    for number in range(plan.turns):
        for index, (what, taken) in enumerate(measured.items()):
            taken.append(await drain(what, f"turn-{number}-{index}", plan, stack, directory))
            results.progress(f"turn {number + 1}, {what}: {taken[-1].events_per_s:,.0f} events/s")
    rows = [_row(what, taken) for what, taken in measured.items()]
    return results.document(
        "bench.everything", rows, source=source(), partitions=PARTITIONS, events=plan.events
    )


async def drain(what: str, name: str, plan: Plan, stack: Stack, directory: Path) -> Drained:
    """Prime the worker, send the backlog, and run the worker until the last decision."""
    count = plan.events
    deployment, place = BenchDeployment(name, stack.bootstrap_servers), directory / name
    environment, metrics_port = (
        deployment.environment() | _environment(what, name, stack, place),
        ports.choose(),
    )
    await deployment.make_topics()
    await deployment.fill(numbered(0, PRIME_EVENTS))
    async with AsyncExitStack() as running:
        entities = None if what == NOTHING else running.enter_context(_entities(place, environment))
        with WorkerProcess(place, environment) as worker:
            await _decided(deployment, PRIME_EVENTS, worker)
        if entities is not None:
            await wait_for_redis(deployment, stack, name, entities)
        if what == ALL:
            await running.aclose()
        await deployment.fill(numbered(PRIME_EVENTS, count))
        measured = environment | {"FRAUDSTREAM_WORKER_METRICS_PORT": str(metrics_port)}
        with WorkerProcess(place, measured) as worker:
            readings = await _decided(deployment, PRIME_EVENTS + count, worker)
            stages = seconds_per_stage([metrics_port])
    alerts = await _check(what, deployment, PRIME_EVENTS, PRIME_EVENTS + count)
    return _drained(readings, count, stages, alerts)


def _environment(what: str, name: str, stack: Stack, place: Path) -> dict[str, str]:
    models = place / "models"
    place.mkdir(parents=True)
    if what == NOTHING:
        alerting.models(1.0, models)
        return {"FRAUDSTREAM_MODEL_DIR": str(models)}
    return {
        "FRAUDSTREAM_MODEL_DIR": str(_with_challenger(models)),
        "FRAUDSTREAM_MODEL_CHALLENGER_BUDGET_MS": UNBOUNDED_MS,
        **stack.redis_environment,
        "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS": PATIENT_SECONDS,
        "FRAUDSTREAM_REDIS_KEY_PREFIX": name,
    }


def _with_challenger(models: Path) -> Path:
    """Copy the project's models, with the champion a second time under another name as challenger."""
    shutil.copytree(Path("models"), models)
    champion = read_aliases(models).champion
    first = bundle_path(models, champion)
    second = first.with_name(f"{first.name}-beside")
    second.mkdir()
    for file in manifest.OTHER_FILES:
        (second / file).write_bytes((first / file).read_bytes())
    described = manifest.decode(manifest.read(first, manifest.FILE_NAME), first)
    renamed = msgspec.structs.replace(described, version=second.name)
    (second / manifest.FILE_NAME).write_bytes(manifest.encode(renamed))
    aliases = f'champion = "{champion}"\nchallengers = ["{champion}-beside"]\n'
    (models / "aliases.toml").write_text(aliases, encoding="utf-8")
    return models


def _entities(place: Path, environment: dict[str, str]) -> WorkerProcess:
    return WorkerProcess(place / "entities", environment | {"FRAUDSTREAM_WORKER_ROLE": "entities"})


async def _decided(deployment: BenchDeployment, count: int, worker: BenchProcess) -> list[Counters]:
    """Wait for ``count`` decisions; return all readings on the way."""
    readings: list[Counters] = []

    def read(found: int) -> Reading:
        readings.append(Counters(time.perf_counter(), found, worker.cpu_seconds()))
        return Reading(found, readings[-1].cpu_seconds)

    topics = deployment.settings().topics
    await wait_for(deployment.servers, topics.decisions, deployment.partitions, count, read)
    return readings


def _drained(readings: Sequence[Counters], count: int, stages: Mapping[str, float], alerts: int) -> Drained:
    """Compute the figures between the reading after the warm-up and the last one. Raises RuntimeError if they coincide."""
    warm = next(reading for reading in readings if reading.decisions >= PRIME_EVENTS + count * WARM_UP_SHARE)
    last = readings[-1]
    if last is warm:
        raise RuntimeError(f"{count} events are decided too fast to measure a rate: use more --events")
    decided = last.decisions - warm.decisions
    return Drained(
        decided / (last.seconds - warm.seconds),
        (last.cpu_seconds - warm.cpu_seconds) / decided * 1e6,
        {stage: seconds / count * 1e6 for stage, seconds in stages.items()},
        alerts,
    )


async def _check(what: str, deployment: BenchDeployment, first: int, count: int) -> int:
    """Return the number of alerts. Raises RuntimeError when the decisions do not show the conditions of the turn."""
    decode = msgspec.json.Decoder(Noted).decode
    read = alerts = absent = shadowed = 0
    async with open_topic(
        deployment.servers, deployment.settings().topics.decisions, deployment.partitions
    ) as (
        consumer,
        all_of,
    ):
        consumer.assign(all_of)
        while read < count:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for decision in (decode(record.value) for record in records):
                    read += 1
                    alerts += decision.outcome != "approve"
                    absent += "entities_absent" in decision.degraded
                    shadowed += len(decision.shadow)
    expected = (count, 0) if what == NOTHING else (first, count)
    # Redis is empty while the first part is decided, so its decisions lack entities.
    if (absent > expected[0]) or (what == NOTHING and absent < count) or shadowed != expected[1]:
        raise RuntimeError(
            f"{what}: of {count} decisions {absent} lack entities, {shadowed} have a challenger's score"
        )
    return alerts


def _row(what: str, taken: Sequence[Drained]) -> dict[str, Any]:
    stages = taken[0].stage_us_per_event
    return {
        "what": what,
        "events_per_s": [drained.events_per_s for drained in taken],
        "cpu_seconds_per_million": [drained.cpu_seconds_per_million for drained in taken],
        "alerts": taken[0].alerts,
        "stage_us_per_event": {
            stage: [drained.stage_us_per_event[stage] for drained in taken] for stage in stages
        },
    }


def table(content: Mapping[str, Any]) -> str:
    """Return a table of the medians of the turns."""
    rows = content["results"]
    base = results.median(rows[0]["events_per_s"])
    cells = [
        (
            row["what"],
            f"{results.median(row['events_per_s']):,.0f}",
            f"{results.median(row['events_per_s']) / base:.0%}",
            f"{results.median(row['cpu_seconds_per_million']):,.1f}",
            f"{row['alerts']:,}",
        )
        for row in rows
    ]
    stages = "".join(
        f"\nµs per event, {row['what']}: "
        + ", ".join(
            f"{stage} {results.median(taken):.1f}" for stage, taken in row["stage_us_per_event"].items()
        )
        for row in rows
    )
    return results.table(("one worker", "events/s", "share", "CPU s per million", "alerts"), cells) + stages


if __name__ == "__main__":
    main()
