"""Models beside the champion on a real Kafka: challengers in shadow, canaries for their share of the customers."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.adapters.models.bundles import load
from app.adapters.models.loading import UNSIGNED
from app.local.state import Stack
from app.scoring.canary import in_share
from tests.support.bundle import write_bundle
from tests.support.deployment import Deployment, check_guarantee
from tests.support.orders import order, until_workers
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

FIRST, SECOND, LOUD = "large-amounts/1", "large-amounts/2", "large-amounts/3"
SHARE = 0.4
CALM = {
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": "30",
    "FRAUDSTREAM_MODEL_CHALLENGER_BUDGET_MS": "60000",
}
"""Long: no worker is killed here, and a busy machine must not end a session."""


@pytest.fixture
async def deployment(stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    """With a second model, and a third that alerts on nearly everything."""
    own = shutil.copytree(models, tmp_path / "models")
    write_bundle(own, "2", trees=20)
    write_bundle(own, "3", trees=15, review=0.0)
    deployed = Deployment(stack, tmp_path, own)
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


async def test_shadow_scores_are_in_every_decision_and_decide_nothing(deployment: Deployment) -> None:
    (deployment.models / "aliases.toml").write_text(
        f'champion = "{FIRST}"\nchallengers = ["{SECOND}", "large-amounts/none"]\n', encoding="utf-8"
    )
    worker = deployment.worker(**CALM)
    worker.start()
    worker.wait_started()
    await deployment.produce(traffic(1_000, seed=61))
    await deployment.drained()
    (report,) = await until_workers(deployment, lambda report: report["challengers"][0]["scored"] == 1_000)
    aliases = list(await all_decisions(deployment))
    code, answers = await order(deployment, "challenge", LOUD)
    await deployment.produce(traffic(500, seed=62))
    await deployment.drained()

    assert "there is no model large-amounts/none" in report["challengers"][1]["refused"]
    assert (code, answers["silent"]) == (0, [])
    assert worker.terminate() == 0
    await check_guarantee(deployment)
    ordered = [one for one in await all_decisions(deployment) if one not in aliases]
    assert (len(aliases), len(ordered)) == (1_000, 500)
    check_shadow(deployment, aliases, SECOND)
    check_shadow(deployment, ordered, LOUD)


async def test_a_canary_decides_for_its_customers_until_it_leaves_its_bounds(deployment: Deployment) -> None:
    workers = [deployment.worker("first", **CALM), deployment.worker("second", **CALM)]
    for worker in workers:
        worker.start()
        worker.wait_started()
    await deployment.produce(traffic(1_000, seed=63))
    await deployment.drained()

    code, answers = await order(
        deployment, "canary", SECOND, f"--share={SHARE}", "--max-alert-rate=0.5", "--max-chunk-ms=10000"
    )
    assert (code, len(answers["workers"])) == (0, 2), answers
    await deployment.produce(traffic(2_000, seed=64))
    await deployment.drained()
    check_share(await decisions_of(deployment, seed=64), SECOND)

    code, answers = await order(
        deployment, "canary", LOUD, f"--share={SHARE}", "--max-alert-rate=0.5", "--window=100"
    )
    assert code == 0, answers
    await deployment.produce(traffic(4_000, seed=65), rate=1_000)
    await deployment.drained()
    stopped = await until_workers(deployment, lambda worker: worker["canary"]["stopped"])
    assert all("alerted on 100.000%" in worker["canary"]["stopped"] for worker in stopped)
    decided_by_the_loud = [one for one in await decisions_of(deployment, seed=65) if told_model(one) == LOUD]
    assert len(decided_by_the_loud) < 4_000 * SHARE / 2

    late = deployment.worker("late", **CALM)
    late.start()
    late.wait_started()
    reports = await until_workers(deployment, lambda worker: worker["canary"]["stopped"])
    while len(reports) < 3:
        reports = await until_workers(deployment, lambda worker: worker["canary"]["stopped"])
    await deployment.produce(traffic(1_000, seed=66))
    await deployment.drained()
    assert {told_model(one) for one in await decisions_of(deployment, seed=66)} == {FIRST}
    assert [worker.terminate() for worker in [*workers, late]] == [0, 0, 0]
    await check_guarantee(deployment)


async def all_decisions(deployment: Deployment) -> list[dict[str, Any]]:
    """In order of offset, each partition after the other."""
    return [
        json.loads(record.value) async for record in deployment.scan(deployment.settings.topics.decisions)
    ]


async def decisions_of(deployment: Deployment, seed: int) -> list[dict[str, Any]]:
    """Of the traffic of one seed."""
    prefix = f"t-{seed}-"
    return [one for one in await all_decisions(deployment) if one["transaction_id"].startswith(prefix)]


def told_model(decision: dict[str, Any]) -> str:
    return f"{decision['model']['name']}/{decision['model']['version']}"


def check_shadow(deployment: Deployment, decisions: list[dict[str, Any]], challenger: str) -> None:
    """Check that the champion made all decisions and that shadow scores are the challenger's on the same features."""
    rows = np.array([one["features"] for one in decisions], dtype=np.float64)
    shadow = load(deployment.models / challenger, UNSIGNED).score(rows).tolist()
    scores = load(deployment.models / FIRST, UNSIGNED).score(rows).tolist()
    assert shadow == [one["shadow"].get(challenger) for one in decisions]
    assert all(list(one["shadow"]) == [challenger] for one in decisions)
    assert (scores, {FIRST}) == ([one["score"] for one in decisions], set(map(told_model, decisions)))


def check_share(decisions: list[dict[str, Any]], canary: str) -> None:
    """The canary decided for exactly the customers of its share, the champion's score beside its own."""
    for one in decisions:
        chosen = in_share(one["customer_id"], SHARE)
        assert told_model(one) == (canary if chosen else FIRST)
        assert list(one["shadow"]) == ([FIRST] if chosen else [])
    by_canary = sum(told_model(one) == canary for one in decisions)
    assert abs(by_canary / len(decisions) - SHARE) < 0.1
