"""The champion exchanged while workers score: every decision is one model's alone, and none is missing."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.adapters.models.bundles import load
from app.adapters.models.loading import UNSIGNED
from app.local.state import Stack
from tests.support.bundle import write_bundle
from tests.support.commands import call
from tests.support.deployment import Deployment, check_guarantee
from tests.support.orders import order
from tests.support.traffic import traffic
from tests.unit.forgeries import FORGERIES

pytestmark = pytest.mark.integration

FIRST, SECOND = "large-amounts/1", "large-amounts/2"
SWAPS = 6


@pytest.fixture
async def deployment(stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    """With models of its own, of which there are two."""
    own = shutil.copytree(models, tmp_path / "models")
    write_bundle(own, "2", trees=20)
    deployed = Deployment(stack, tmp_path, own)
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


async def test_the_champion_is_exchanged_repeatedly_under_load(deployment: Deployment) -> None:
    workers = [deployment.worker("first"), deployment.worker("second")]
    for worker in workers:
        worker.start()
        worker.wait_started()
    swapped = asyncio.Event()
    sending = asyncio.create_task(keep_sending(deployment, swapped))
    await deployment.decided(1_000)

    for number in range(SWAPS):
        code, answers = await order(deployment, *(["rollback"] if number % 2 else ["promote", SECOND]))
        assert (code, len(answers["workers"]), answers["silent"]) == (0, 2, []), answers
    swapped.set()
    await sending
    await deployment.drained()

    assert [worker.terminate() for worker in workers] == [0, 0]
    await check_guarantee(deployment)
    assert await deciding(deployment) == {FIRST, SECOND}


async def keep_sending(deployment: Deployment, until: asyncio.Event) -> None:
    """One stream in parts, however long the exchanges take."""
    stream = traffic(1_000_000, seed=41)
    while not until.is_set():
        await deployment.produce(islice(stream, 1_000), rate=600)


async def test_a_model_that_a_worker_cannot_load_leaves_the_old_one_running(deployment: Deployment) -> None:
    spoiled = shutil.copytree(deployment.models, deployment.directory / "spoiled")
    (spoiled / SECOND / "model.skops").write_bytes(b"not a model")
    worker = deployment.worker(FRAUDSTREAM_MODEL_DIR=str(spoiled))
    worker.start()
    worker.wait_started()
    await deployment.produce(traffic(1_000, seed=42))
    await deployment.decided(1_000)

    code, answers = await order(deployment, "promote", SECOND)
    assert code == 1
    assert SECOND in answers["workers"][0]["refused"]["model"]
    await deployment.produce(traffic(1_000, seed=43))
    await deployment.drained()
    code, status = await order(deployment, "status")

    assert (code, status["workers"][0]["runs"]["version"]) == (0, "1")
    assert status["workers"][0]["refused"]["reason"]
    assert await deciding(deployment) == {FIRST}
    (kept,) = json.loads((await asyncio.to_thread(call, deployment, "control", "history", "--json")).stdout)
    assert (kept["key"], kept["order"]["model"]["version"], kept["reason"]) == ("champion", "2", "test")
    assert kept["ordered_by"]
    assert kept["ordered_at"] >= kept["order"]["ordered_at"]


async def test_every_forged_model_is_refused_by_a_running_worker(deployment: Deployment) -> None:
    """The operator's bundles are sound, the worker's are forged: one model, many ways to spoil it."""
    names = {str(number): name for number, name in enumerate(FORGERIES, start=10)}
    for version in names:
        write_bundle(deployment.models, version, trees=int(version))
    spoiled = shutil.copytree(deployment.models, deployment.directory / "spoiled")
    for version, name in names.items():
        FORGERIES[name].spoil(spoiled / "large-amounts" / version)
    worker = deployment.worker(FRAUDSTREAM_MODEL_DIR=str(spoiled))
    worker.start()
    worker.wait_started()

    for version, name in names.items():
        code, answers = await order(deployment, "promote", f"large-amounts/{version}")
        assert code == 1
        assert FORGERIES[name].said in answers["workers"][0]["refused"]["reason"]
    await deployment.produce(traffic(1_000, seed=47))
    await deployment.drained()

    assert worker.terminate() == 0
    assert await deciding(deployment) == {FIRST}


async def test_a_worker_that_starts_later_runs_the_ordered_model(deployment: Deployment) -> None:
    """Twice: first without a worker, then with one that is killed."""
    assert (await order(deployment, "promote", SECOND))[0] == 0
    worker = deployment.worker()
    for seed in (44, 45):
        worker.start()
        worker.wait_started()
        await deployment.produce(traffic(500, seed=seed))
        await deployment.drained()
        worker.kill()

    assert await deciding(deployment) == {SECOND}


async def test_changed_aliases_are_followed_and_sighup_does_no_harm(deployment: Deployment) -> None:
    worker = deployment.worker()
    worker.start()
    worker.wait_started()
    os.kill(worker.pid, signal.SIGHUP)
    (deployment.models / "aliases.toml").write_text(f'champion = "{SECOND}"\n', encoding="utf-8")
    os.kill(worker.pid, signal.SIGHUP)
    await until_runs(deployment, "2")
    await deployment.produce(traffic(500, seed=46))
    await deployment.drained()

    assert worker.terminate() == 0
    assert await deciding(deployment) == {SECOND}
    assert (await order(deployment, "status"))[1]["workers"] == []  # it took its report with it


async def until_runs(deployment: Deployment, version: str) -> None:
    async with asyncio.timeout(20):
        while True:
            _, status = await order(deployment, "status")
            if [worker["runs"]["version"] for worker in status["workers"]] == [version]:
                return


async def deciding(deployment: Deployment) -> set[str]:
    """The models that decided. Checks that each score is the one of the named model on the decision's features."""
    found: dict[str, list[dict[str, Any]]] = {}
    for decision, *_ in (await deployment.decisions()).values():
        model = decision["model"]
        found.setdefault(f"{model['name']}/{model['version']}", []).append(decision)
    for reference, decisions in found.items():
        rows = np.array([decision["features"] for decision in decisions], dtype=np.float64)
        scores = load(deployment.models / reference, UNSIGNED).score(rows)
        assert scores.tolist() == [decision["score"] for decision in decisions]
    return set(found)
