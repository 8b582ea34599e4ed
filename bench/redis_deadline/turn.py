"""One turn: a scoring worker, an entities worker and Redis under load, at one rate and one read deadline."""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.domain.decision import Degradation
from app.local.state import Stack
from bench.data.numbered import number_of, numbered
from bench.harness.deployment import BenchDeployment
from bench.harness.generator import Report, percentiles
from bench.harness.rate_run import GENERATED, PRIME_EVENTS, Plan, decided, latencies, send
from bench.harness.redis_filled import wait_for_redis
from bench.harness.topic_progress import DRAIN_SECONDS, open_topic
from bench.harness.worker_process import BENCH_PYTHON, BenchProcess, WorkerProcess

ENTITIES = {"FRAUDSTREAM_WORKER_ROLE": "entities"}
BUSY = ("-c", "while True: pass")


class Condition(NamedTuple):
    """What a turn is measured under."""

    deadline_seconds: float
    rate: int
    busy: int
    """Number of further processes that compute all the time."""


class Turn(NamedTuple):
    """The figures of one turn."""

    decisions: int
    without_entities: int
    decision_latency_ms: dict[str, float]
    """From the intended send to the decision received."""


class Noted(msgspec.Struct):
    """The field of a decision that is counted."""

    degraded: list[str]


async def measure(condition: Condition, seconds: int, name: str, stack: Stack, directory: Path) -> Turn:
    """Run one turn. Every decision is waited for, also where the worker does not keep up with the rate."""
    deployment, plan = BenchDeployment(name, stack.bootstrap_servers), Plan(condition.rate, seconds)
    environment = deployment.environment() | {
        **stack.redis_environment,
        "FRAUDSTREAM_REDIS_KEY_PREFIX": name,
        "FRAUDSTREAM_REDIS_READ_DEADLINE_SECONDS": str(condition.deadline_seconds),
    }
    await deployment.make_topics()
    with ExitStack() as running:
        entities = running.enter_context(WorkerProcess(directory / "entities", environment | ENTITIES))
        worker = running.enter_context(WorkerProcess(directory / "worker", environment))
        await deployment.fill(numbered(0, PRIME_EVENTS))
        await decided(deployment, PRIME_EVENTS, DRAIN_SECONDS, worker)
        await wait_for_redis(deployment, stack, name, entities)
        for number in range(condition.busy):
            running.enter_context(BenchProcess(directory / f"busy-{number}", BUSY, {}, BENCH_PYTHON))
        if not await send(plan, deployment, environment, worker, directory, DRAIN_SECONDS):
            raise RuntimeError(f"{condition}: decisions are missing:\n{worker.log_tail()}")
    report = msgspec.json.decode((directory / GENERATED).read_bytes(), type=Report)
    numbers, waited_ms, _ = latencies(plan, report, directory, "decisions")
    return Turn(len(numbers), await _without_entities(deployment, plan), percentiles(waited_ms))


async def _without_entities(deployment: BenchDeployment, plan: Plan) -> int:
    """Count the decisions after the warm-up that lack entities."""
    decode, topic = msgspec.json.Decoder(Noted).decode, deployment.settings().topics.decisions
    read = without = 0
    async with open_topic(deployment.servers, topic, deployment.partitions) as (consumer, partitions):
        consumer.assign(partitions)
        while read < plan.end:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                read += len(records)
                counted = [each.value for each in records if number_of(each.value) >= plan.counted_from]
                without += sum(Degradation.ENTITIES_ABSENT in decode(value).degraded for value in counted)
    return without
