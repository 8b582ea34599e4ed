"""Measures one contestant at one rate once: latency from the intended send to the decision and alert received."""

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from bench.contestants.roster import LINGER_MS, Contestant
from bench.data.numbered import numbered
from bench.harness.deployment import BenchDeployment
from bench.harness.generator import Report, percentiles
from bench.harness.topic_progress import DRAIN_SECONDS, NotInTime, Reading, wait_for
from bench.harness.worker_process import BenchProcess

PRIME_EVENTS = 2_000
"""Events decided before the measurement, so that everything is running, compiled and cached."""
WARM_UP_SECONDS = 3
KEEP_UP_SECONDS = 3.0
"""Time after the last intended send within which every decision must arrive for the rate to count as sustained."""
RECEIVE_SECONDS = 0.5
"""Time between the last decision at the broker and the stop of the receiver."""
SPARE_SECONDS = 60
"""Additional time for the generator to encode its events."""
GENERATED, RECEIVED = "generated.json", "received.npz"
"""What generator and receiver write."""


class Plan(NamedTuple):
    """A rate in events per second and the measured seconds."""

    rate: int
    seconds: int

    @property
    def sent(self) -> int:
        """Number of events at the rate, including the warm-up."""
        return self.rate * (WARM_UP_SECONDS + self.seconds)

    @property
    def counted_from(self) -> int:
        """Number of the first event that counts."""
        return PRIME_EVENTS + self.rate * WARM_UP_SECONDS

    @property
    def end(self) -> int:
        """Number after the last event."""
        return PRIME_EVENTS + self.sent


class RateResult(NamedTuple):
    """The figures of one turn; latencies as percentiles in milliseconds."""

    alerts: int
    latency_ms: dict[str, float]
    """From intended send to alert received; for the echo, which sends no alerts, to its copy received."""
    decision_latency_ms: dict[str, float]
    generator_late_ms: dict[str, float]
    events_per_s: float
    """From the first counted intended send to the last decision received."""


class Expected(NamedTuple):
    """The models to score with, and the alerts that they must give."""

    models: Path
    alerts: set[int]
    """Numbers of the counted events that must alert."""


async def run_at_rate(
    contestant: Contestant, plan: Plan, expected: Expected, deployment: BenchDeployment, directory: Path
) -> RateResult | None:
    """Run a contestant at a rate. Returns None when it does not keep up.

    Raises RuntimeError when decisions are missing or the alerts are not the expected ones.
    """
    await deployment.make_topics()
    environment = deployment.environment() | {"FRAUDSTREAM_MODEL_DIR": str(expected.models), LINGER_MS: "0"}
    core = max(os.sched_getaffinity(0))
    if contestant.one_core:
        environment["FRAUDSTREAM_WORKER_CORE"] = str(
            core
        )  # our worker then also changes how its threads share the interpreter
    with BenchProcess(
        directory / "contestant", contestant.arguments, environment, contestant.python
    ) as running:
        if contestant.one_core:
            running.pin_to(core)
        await deployment.fill(numbered(0, PRIME_EVENTS))
        await decided(deployment, PRIME_EVENTS, DRAIN_SECONDS, running)
        if not await send(plan, deployment, environment, running, directory, KEEP_UP_SECONDS):
            return None
    return _result(contestant, plan, expected, directory)


async def send(
    plan: Plan,
    deployment: BenchDeployment,
    environment: dict[str, str],
    running: BenchProcess,
    directory: Path,
    keep_up_seconds: float,
) -> bool:
    """Send at the rate of the plan and receive what comes; return whether ``running`` keeps up."""
    arguments = (
        "-m",
        "bench.harness.generator",
        PRIME_EVENTS,
        plan.sent,
        plan.rate,
        directory / GENERATED,
    )
    with BenchProcess(
        directory / "receiver", ("-m", "bench.harness.receiver", str(directory / RECEIVED)), environment
    ):
        with BenchProcess(directory / "generator", [*map(str, arguments)], environment) as generator:
            await generator.wait_ended(WARM_UP_SECONDS + plan.seconds + SPARE_SECONDS)
        return await decided(deployment, plan.end, keep_up_seconds, running)


async def decided(deployment: BenchDeployment, count: int, seconds: float, running: BenchProcess) -> bool:
    """Wait for ``count`` decisions; return whether they arrive within ``seconds``."""
    decisions = deployment.settings().topics.decisions

    def alive(found: int) -> Reading:
        return Reading(found, running.cpu_seconds())

    try:
        await wait_for(deployment.servers, decisions, deployment.partitions, count, alive, seconds)
    except NotInTime:
        return False
    await asyncio.sleep(RECEIVE_SECONDS)
    return True


def _result(contestant: Contestant, plan: Plan, expected: Expected, directory: Path) -> RateResult:
    report = msgspec.json.decode((directory / GENERATED).read_bytes(), type=Report)
    decisions, decision_ms, last_ns = latencies(plan, report, directory, "decisions")
    alerts, alert_ms, _ = latencies(plan, report, directory, "alerts")
    expected_alerts = expected.alerts if contestant.scores else set()
    if len(decisions) != plan.end - plan.counted_from or set(alerts.tolist()) != expected_alerts:
        raise RuntimeError(
            f"{contestant.name}: {len(decisions)} decisions of {plan.end - plan.counted_from} and "
            f"{len(alerts)} alerts of {len(expected_alerts)} were received"
        )
    start_ns = _intended_ns(np.array([plan.counted_from]), plan, report)[0]
    return RateResult(
        alerts=len(alerts),
        latency_ms=percentiles(alert_ms if contestant.scores else decision_ms),
        decision_latency_ms=percentiles(decision_ms),
        generator_late_ms=report.late_ms,
        events_per_s=len(decisions) * 1e9 / (last_ns - start_ns),
    )


def latencies(
    plan: Plan, report: Report, directory: Path, kind: str
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Return the numbers of the counted records, their latencies in milliseconds, and when the last one came."""
    with np.load(directory / RECEIVED) as arrived:
        numbers, received_ns = arrived[kind][:, arrived[kind][0] >= plan.counted_from]
    waited_ms = (received_ns - _intended_ns(numbers, plan, report)) / 1e6
    return numbers, waited_ms, float(received_ns.max(initial=0))


def _intended_ns(numbers: NDArray[np.int64], plan: Plan, report: Report) -> NDArray[np.float64]:
    intended: NDArray[np.float64] = report.start_ns + (numbers - PRIME_EVENTS) * 1e9 / plan.rate
    return intended
