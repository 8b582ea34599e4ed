"""The scenarios by name, and how one is run: act, drain, stop, verdict."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.chaos import verdict
from tests.chaos.cluster import Cluster
from tests.chaos.late_writes import late_writes
from tests.chaos.run import Moment, Run, stored
from tests.chaos.verdict import Figures
from tests.support import reading

RunT = TypeVar("RunT", bound=Run)
Play = Callable[[RunT], Awaitable[None]]


class Scenario(NamedTuple, Generic[RunT]):
    """A scenario's actions, and the behaviour that is declared for it."""

    name: str
    declared: str
    play: Play[RunT]


SCENARIOS: dict[str, Scenario[Run]] = {}


def scenario(declared: str) -> Callable[[Play[Run]], Play[Run]]:
    """Register a scenario under its function's name; ``declared`` states the behaviour that users may rely on."""

    def register(play: Play[Run]) -> Play[Run]:
        SCENARIOS[play.__name__] = Scenario(play.__name__, declared, play)
        return play

    return register


class Result(msgspec.Struct, kw_only=True):
    """The result of one run."""

    scenario: str
    declared: str
    seed: int
    scale: float
    workers: str
    day: str
    clean: bool
    broken: list[str]
    """Declared behaviour that was not observed."""
    kills: int
    restarts: int
    recovery_seconds: list[float]
    longest_pause_seconds: float
    """Longest time between two decisions of any partition while there was traffic."""
    p99_ms: dict[str, float | None]
    """Milliseconds from a transaction's record to its decision's: before the first fault, until recovery, and after."""
    figures: Figures
    timeline: list[Moment]

    @property
    def passed(self) -> bool:
        return self.clean and not self.broken


async def carry_out(
    chosen: Scenario[Run],
    cluster: Cluster,
    directory: Path,
    models: Path,
    *,
    seed: int,
    scale: float = 1.0,
    app: str = "app.worker",
) -> Result:
    """Run one scenario on a healthy cluster and return its verdict; repair the cluster afterwards."""
    return await perform(chosen, Run(cluster, directory, models, seed, scale, app))


async def perform(chosen: Scenario[RunT], run: RunT) -> Result:
    """Play a scenario in a new run and return its verdict; repair the run's cluster afterwards."""
    cluster = run.cluster
    await run.deployment.ensure_topics()
    try:
        async with run.supervised():
            await chosen.play(run)
            await cluster.whole()
            await run.drained()
            await run.settled()
        for worker in run.workers:
            if worker.running:
                run.note(f"SIGTERM {worker.name}, ended with {worker.terminate()}")
        figures, timing = await check(run)
        if timing["longest_pause_seconds"] > run.pause_bound_seconds:
            run.broken.append(f"decisions paused longer than {run.pause_bound_seconds:.0f} s")
        if not figures.transactions:
            run.broken.append(
                "there was a transaction"
            )  # a run without transactions would be clean and prove nothing
    finally:
        run.deployment.clear_up()
        await cluster.whole()
    return Result(
        scenario=chosen.name,
        declared=chosen.declared,
        seed=run.seed,
        scale=run.scale,
        workers=run.app,
        day=datetime.now(UTC).date().isoformat(),
        clean=figures.clean,
        broken=run.broken,
        kills=run.kills,
        restarts=run.restarts,
        recovery_seconds=run.recovery_seconds,
        figures=figures,
        timeline=run.timeline,
        **timing,
    )


async def check(run: Run) -> tuple[Figures, dict[str, Any]]:
    """Check all outputs and databases against the source log, after all workers have ended."""
    deployment, figures = run.deployment, Figures()
    topics = deployment.settings.topics
    log = map(run.as_sent, await deployment.read(topics.transactions))
    source = verdict.read_source(run.deleted_log, log)
    versions = await deployment.read(deployment.changelog)
    changelog = reading.newest_per_key(versions)
    if run.ours:
        figures.late_writes = run.late_writes + late_writes(versions)
        figures.late_writes_refused = run.refused_writes()
    verdict.check_profiles(source.customers, changelog, figures, by_offset=run.ours)
    if run.ours:
        verdict.check_stores(changelog, run.kept_stores or stored(run.workers), figures)
    decisions = verdict.Decisions(source.sent_ms)
    async for record in deployment.scan(topics.decisions):
        decisions.take(record.value, record.timestamp, source, figures)
    decisions.compare(source.customers, figures)
    await verdict.check_alerts(deployment.scan(topics.alerts), decisions.suspicious, figures)
    await verdict.check_dead_letters(deployment.scan(topics.dead_letters), source.bad, figures)
    return figures, _timing(decisions, source, run)


def _timing(decisions: verdict.Decisions, source: verdict.Source, run: Run) -> dict[str, Any]:
    sent = np.array([source.sent_ms[name] for name in decisions.row], dtype=np.int64)
    last_sent = int(sent.max(initial=0))
    parts = phases(sent, sent + decisions.latency_ms, run.faults_ms, run.recovered_ms)
    decided = np.sort(np.array(decisions.decided_ms, dtype=np.int64))
    return {
        "longest_pause_seconds": round(
            float(np.diff(decided[decided <= last_sent]).max(initial=0)) / 1000, 2
        ),
        "p99_ms": {
            name: float(np.percentile(decisions.latency_ms[part], 99)) if part.any() else None
            for name, part in parts.items()
        },
    }


def phases(
    sent_ms: NDArray[np.int64], decided_ms: NDArray[np.float64], faults_ms: list[int], recovered_ms: int
) -> dict[str, NDArray[np.bool_]]:
    """Masks of the transactions before, during and after the faults. Without a recovery after the last fault none is
    after, since the backlog still counts as during.
    """
    if not faults_ms:
        whole = np.ones(len(sent_ms), dtype=bool)
        return {"before": whole, "during": ~whole, "after": ~whole}
    # A transaction in flight at the first fault counts as during.
    before = decided_ms < faults_ms[0]
    after = (sent_ms > recovered_ms) & (recovered_ms > faults_ms[-1])
    return {"before": before, "during": ~before & ~after, "after": after}
