"""`fraudstream replay` on a real broker: decisions are reproduced although the worker was killed."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.local.state import Stack
from tests.support import reading
from tests.support.bundle import write_bundle
from tests.support.commands import call
from tests.support.deployment import Deployment, shared_deployment
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

EVENTS = 6_000


@pytest.fixture(scope="module")
def decided(stack: Stack, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    deployment = Deployment(stack, tmp_path_factory.mktemp("replay"), models)
    with shared_deployment(deployment, decide) as prepared:
        yield prepared


async def decide(deployment: Deployment) -> Deployment:
    """Prepare a log with repeated transactions that a killed worker has decided, and more that no worker has decided."""
    events = list(traffic(EVENTS, seed=9, customers=60))
    worker = deployment.worker()
    worker.start()
    await deployment.produce(events[:3_000])
    await deployment.produce(events[2_000:2_500])
    await deployment.decided(2_500)
    worker.kill()
    await deployment.produce(events[3_000:])
    worker.start()
    await deployment.drained()
    assert worker.terminate() == 0
    await deployment.produce(traffic(100, seed=10, customers=60))
    return deployment


def replayed(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        raise AssertionError(done.stderr.decode()) from None


async def sources(deployment: Deployment) -> set[tuple[int, int]]:
    """Partition and offset of every transaction that was decided. One older than any profile may be so twice."""
    found = (
        json.loads(record.value) async for record in deployment.scan(deployment.settings.topics.decisions)
    )
    return {(decision["source"]["partition"], decision["source"]["offset"]) async for decision in found}


async def test_replay_reproduces_every_decision_and_writes_nothing(decided: Deployment) -> None:
    topics = decided.settings.topics
    names = (topics.transactions, topics.decisions, topics.alerts, decided.changelog)
    before = [await reading.end_offsets(decided.servers, name, decided.partitions) for name in names]
    lag, every = await decided.lag(), await sources(decided)
    assert EVENTS <= len(every)

    done = call(decided, "replay", "--from", "2026-01-01", "--json")
    found = replayed(done)
    assert (0, {"equal": len(every)}, []) == (done.returncode, found["kinds"], found["examples"])

    half = call(decided, "replay", "--from", "700", "--to", "900", "--partition", "1", "--json")
    inside = {position for position in every if position[0] == 1 and 700 <= position[1] < 900}
    assert (0, {"equal": len(inside)}) == (half.returncode, replayed(half)["kinds"])
    assert 0 < len(inside) <= 200
    assert before == [await reading.end_offsets(decided.servers, name, decided.partitions) for name in names]
    assert lag == await decided.lag()


async def test_replay_with_another_model_reports_the_differences(decided: Deployment) -> None:
    if not (decided.models / "large-amounts" / "few-trees").exists():
        write_bundle(decided.models, "few-trees", trees=2)
    done = call(decided, "replay", "--from", "2026-01-01", "--model", "large-amounts/few-trees", "--json")
    found = replayed(done)
    assert 1 == done.returncode
    assert len(await sources(decided)) == sum(found["kinds"].values()) == sum(found["outcomes"].values())
    assert {"score", "outcome"} <= set(found["kinds"])
    assert [] == list(found["features"])


async def test_replay_reports_decisions_older_than_a_short_warm_up(decided: Deployment) -> None:
    done = call(decided, "replay", "--from", "900", "--partition", "1", "--warm-up-days", "0", "--json")
    found = replayed(done)
    assert 0 == done.returncode
    assert found["kinds"]["older_than_log"] > 0

    other_bounds = call(
        decided,
        "replay",
        "--from",
        "2026-01-01",
        "--json",
        FRAUDSTREAM_PROFILE_MAX_EVENTS="16",
    )
    assert 1 == other_bounds.returncode
    assert "customer_count_30d" in replayed(other_bounds)["features"]


async def test_an_invalid_replay_range_is_a_usage_error(decided: Deployment) -> None:
    for arguments in (
        ["--from", "700"],
        ["--from", "yesterday"],
        ["--from", "2040-01-01"],
        ["--from", "2026-01-01", "--app-id", decided.settings.worker.app_id],
    ):
        done = call(decided, "replay", *arguments)
        assert 2 == done.returncode, done.stderr
