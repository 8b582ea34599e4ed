"""What terminals' features, a challenger and reasons cost a worker: `python -m bench.everything [--json]`.

In turns, the same worker on the same backlog: without Redis, challenger or alerts, and with all of them. Before the
clock starts, each has decided a part of the stream, and where there is Redis an entities worker has told it all of it.
That worker is then stopped, or goes on beside: it is a process of its own, but here it shares the cores. Afterwards
every decision must say what its turn claims, or there is no result.

Some days of the Handbook pass in a second of such a backlog, and what Redis told serves for an hour of them: nearly
every chunk asks anew about all of its entities, as where customers and terminals are too many to be remembered.
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
import redis

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
from bench.harness.stages import seconds_per_stage
from bench.harness.topic_progress import DRAIN_SECONDS, WARM_UP_SHARE, Reading, open_topic, wait_for
from bench.harness.worker_process import BenchProcess, WorkerProcess

NOTHING, ALL, BESIDE = "without them", "with all of them", "with all, entities worker beside"
PRIME_EVENTS = 50_000
UNBOUNDED_MS = "60000"
"""A challenger's budget: one that is skipped would cost nothing."""
PATIENT_SECONDS = "2"
"""For Redis, so that no chunk goes without its answer."""


class Plan(NamedTuple):
    """What is measured."""

    events: int
    turns: int


class Counters(NamedTuple):
    """At the decisions' topic."""

    seconds: float
    decisions: int
    cpu_seconds: float


class Drained(NamedTuple):
    """What one turn showed."""

    events_per_s: float
    cpu_seconds_per_million: float
    stage_us_per_event: dict[str, float]
    alerts: int


class Noted(msgspec.Struct):
    """What of a decision is looked at."""

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
    """The result file's content."""
    measured: dict[str, list[Drained]] = {NOTHING: [], ALL: [], BESIDE: []}
    # Not counted: a broker's JVM compiles for its first half minute of load, on the cores that are measured.
    await drain(ALL, "warm-up", plan._replace(events=plan.events // 2), stack, directory)
    for number in range(plan.turns):
        for place, (what, taken) in enumerate(measured.items()):
            taken.append(await drain(what, f"turn-{number}-{place}", plan, stack, directory))
            results.progress(f"turn {number + 1}, {what}: {taken[-1].events_per_s:,.0f} events/s")
    rows = [_row(what, taken) for what, taken in measured.items()]
    return results.document(
        "bench.everything", rows, source=source(), partitions=PARTITIONS, events=plan.events
    )


async def drain(what: str, name: str, plan: Plan, stack: Stack, directory: Path) -> Drained:
    """Prime, fill, then the worker until the last decision."""
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
            await _told(deployment, stack, name, entities)
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
        "FRAUDSTREAM_REDIS_URL": stack.redis_url,
        "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS": PATIENT_SECONDS,
        "FRAUDSTREAM_REDIS_KEY_PREFIX": name,
    }


def _with_challenger(models: Path) -> Path:
    """The champion of the project as it is, and the same under another name beside it."""
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
    """What was there at each look, until so many decisions are."""
    readings: list[Counters] = []

    def read(found: int) -> Reading:
        readings.append(Counters(time.perf_counter(), found, worker.cpu_seconds()))
        return Reading(found, readings[-1].cpu_seconds)

    topics = deployment.settings().topics
    await wait_for(deployment.servers, topics.decisions, deployment.partitions, count, read)
    return readings


async def _told(deployment: BenchDeployment, stack: Stack, name: str, entities: BenchProcess) -> None:
    """Return when Redis stands where the activities' changelog ends, and that stands still."""
    changelog = f"{deployment.settings().entities.app_id}-entity-activities-changelog"
    deadline, before = time.monotonic() + DRAIN_SECONDS, None
    with redis.Redis.from_url(stack.redis_url) as client:
        async with open_topic(deployment.servers, changelog, deployment.partitions) as (consumer, assigned):
            while time.monotonic() < deadline:
                ends = [end for _, end in sorted((await consumer.end_offsets(assigned)).items())]
                marks = client.mget([f"{name}:complete:{number}" for number in range(deployment.partitions)])
                told = [(mark or b"").rpartition(b":")[2] for mark in marks]
                if ends == before and told == [b"%d" % (end - 1) for end in ends]:
                    return
                before = ends
                entities.cpu_seconds()  # raises when it has ended
                await asyncio.sleep(1)
    raise RuntimeError(f"the entities worker did not tell Redis all of it:\n{entities.log_tail()}")


def _drained(readings: Sequence[Counters], count: int, stages: Mapping[str, float], alerts: int) -> Drained:
    """Between the reading after the warm-up and the last. Raises RuntimeError where they are one."""
    warm = next(reading for reading in readings if reading.decisions >= PRIME_EVENTS + count * WARM_UP_SHARE)
    last = readings[-1]
    if last is warm:
        raise RuntimeError(f"{count} events are decided too soon to tell a rate: take more --events")
    decided = last.decisions - warm.decisions
    return Drained(
        decided / (last.seconds - warm.seconds),
        (last.cpu_seconds - warm.cpu_seconds) / decided * 1e6,
        {stage: seconds / count * 1e6 for stage, seconds in stages.items()},
        alerts,
    )


async def _check(what: str, deployment: BenchDeployment, first: int, count: int) -> int:
    """How many alerts there are among the measured. Raises RuntimeError when a decision lacks what its turn claims."""
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
    # Until Redis holds the first part, what the first part's decisions ask for is absent.
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
    """Medians of the turns."""
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
