"""Policies on a real broker: exchanged under load, while workers are killed and lists change; every decision by exactly one policy."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from app.adapters.policies.stored import store
from app.local.state import Stack
from tests.support import oracle, reading
from tests.support.commands import call
from tests.support.deployment import Deployment, check_alerts, check_decisions, check_profiles
from tests.support.traffic import traffic

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LARGE_MINOR = 50_000
FIRST, SECOND = "desk/1", "desk/2"
THEN = {FIRST: "review", SECOND: "decline"}
"""What each policy answers to a large amount."""
LISTED = "m7"
EXCHANGES = 6
BY_POLICY = {"scored_at", "outcome", "outcome_by", "rules", "fired", "policy", "lists_offset"}


def policy(version: str) -> bytes:
    """Large amounts to what the version says; a terminal of the list is blocked."""
    return f"""
[policy]
name = "desk"
version = "{version}"

[lists.bad_terminals]
kind = "identifier"

[[rules]]
id = "large"
when = "amount > 500 EUR"
then = "{THEN.get(f"desk/{version}", "review")}"
mode = "live"
reason = "L1"
text = "A large amount."
owner = "desk"
expires = 2100-01-01
max_hit_rate = 1.0

[[rules]]
id = "listed"
when = "terminal_id in bad_terminals"
then = "block"
mode = "live"
reason = "B1"
text = "A compromised terminal."
owner = "desk"
expires = 2100-01-01
max_hit_rate = 1.0
""".encode()


@pytest.fixture
async def deployment(stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    deployed = Deployment(stack, tmp_path, models)
    for version in "12":
        store(tmp_path / "policies", "desk", version, policy(version))
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


def policies(deployment: Deployment) -> dict[str, str]:
    return {"FRAUDSTREAM_POLICY_DIR": str(deployment.directory / "policies")}


async def ordered(deployment: Deployment, *words: str) -> dict[str, Any]:
    """Order a policy, or change a list; the exit code is 0."""
    reason = ("--reason", "test")
    done = await asyncio.to_thread(call, deployment, *words, *reason, "--json", **policies(deployment))
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def first_decisions(deployment: Deployment) -> list[dict[str, Any]]:
    """The first decision of each transaction, the one that counts."""
    return [first for first, *_ in (await deployment.decisions()).values()]


def name(decision: dict[str, Any]) -> str:
    return "/".join((decision["policy"]["name"], decision["policy"]["version"]))


def check_by_one_policy(decisions: Iterable[dict[str, Any]]) -> None:
    """Every outcome is that of the policy that the decision names, recounted here."""
    for decision in decisions:
        transaction = decision["transaction"]
        is_listed = "listed" in decision["rules"]
        assert not is_listed or transaction["terminal_id"] == LISTED
        is_large = transaction["amount_minor"] > LARGE_MINOR
        assert ("large" in decision["rules"]) == is_large
        review, decline = decision["thresholds"]["review"], decision["thresholds"]["decline"]
        score = decision["score"]
        by_score = "decline" if score >= decline else "review" if score >= review else "approve"
        expected = "decline" if is_listed else THEN[name(decision)] if is_large else by_score
        assert decision["outcome"] == expected, decision
        assert decision["outcome_by"] == ("rule" if is_listed or is_large else "band")


async def test_a_policy_is_exchanged_under_load_while_workers_die_and_lists_change(
    deployment: Deployment,
) -> None:
    workers = [
        deployment.worker(worker, FRAUDSTREAM_POLICY_DEFAULT=FIRST, **policies(deployment))
        for worker in ("first", "second")
    ]
    for worker in workers:
        worker.start()
        worker.wait_started()
    over = asyncio.Event()
    sending = asyncio.create_task(_keep_sending(deployment, over))
    await deployment.decided(1_000)

    for number in range(EXCHANGES):
        answers = await ordered(deployment, "policy", "promote", (SECOND, FIRST)[number % 2])
        assert answers["unanimous"], answers
        if number == 1:
            await ordered(deployment, "lists", "add", "bad_terminals", LISTED, "--from", "2020-01-01")
        if number == 3:
            workers[1].kill()
            workers[1].start()
            workers[1].wait_started()
    over.set()
    await sending
    await deployment.drained()

    assert [worker.terminate() for worker in workers] == [0, 0]
    await _check_guarantee(deployment)
    decisions = await first_decisions(deployment)
    assert {name(decision) for decision in decisions} == {FIRST, SECOND}
    check_by_one_policy(decisions)
    listed = [one for one in decisions if "listed" in one["rules"]]
    assert listed
    assert min(one["lists_offset"] for one in listed) > min(one["lists_offset"] for one in decisions)


async def test_a_policy_that_a_worker_cannot_load_is_refused_and_the_running_one_stays(
    deployment: Deployment,
) -> None:
    spoiled = shutil.copytree(deployment.directory / "policies", deployment.directory / "spoiled")
    (spoiled / SECOND / "policy.toml").write_bytes(b"other")
    worker = deployment.worker(FRAUDSTREAM_POLICY_DEFAULT=FIRST, FRAUDSTREAM_POLICY_DIR=str(spoiled))
    worker.start()
    worker.wait_started()
    await deployment.produce(islice(traffic(500, seed=51), 500))
    await deployment.decided(500)

    words = ("policy", "promote", SECOND, "--reason", "test", "--json")
    done = await asyncio.to_thread(call, deployment, *words, **policies(deployment))
    assert done.returncode == 1
    (report,) = json.loads(done.stdout)["workers"]
    assert (report["policy"]["runs"]["version"], "was altered" in report["policy"]["refused"]) == ("1", True)

    await deployment.produce(islice(traffic(500, seed=52), 500))
    await deployment.drained()
    assert {name(one) for one in await first_decisions(deployment)} == {FIRST}
    (kept,) = json.loads((await asyncio.to_thread(call, deployment, "control", "history", "--json")).stdout)
    assert (kept["key"], kept["reason"]) == ("policy", "test")


async def _check_guarantee(deployment: Deployment) -> None:
    """As check_guarantee; a transaction that is decided again after a kill may be decided by another policy and later lists."""
    topics = deployment.settings.topics
    customers, decisions = (
        oracle.fold(await deployment.read(topics.transactions)),
        await deployment.decisions(),
    )
    check_profiles(customers, reading.newest_per_key(await deployment.read(deployment.changelog)))
    check_decisions(customers, decisions, may_differ=BY_POLICY)
    check_alerts(decisions, [json.loads(record.value) async for record in deployment.scan(topics.alerts)])


async def _keep_sending(deployment: Deployment, until: asyncio.Event) -> None:
    stream = traffic(1_000_000, seed=50)
    while not until.is_set():
        await deployment.produce(islice(stream, 1_000), rate=600)
