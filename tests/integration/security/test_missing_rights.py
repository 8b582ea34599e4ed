"""Without any one of its rights a role ends as docs/operate/security.md states, with the name of the right and the remedy.

One deployment for all cases. A worker that is to write has records of its own to write about.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from app.adapters.kafka.protocol.rights import REMEDY, Operation
from app.errors import ConfigurationError, RightMissing, SendFailed
from app.settings import Settings
from app.settings.worker import WorkerRole
from app.topics.access import CLUSTER, ROLES, Right, rights
from app.traffic.produce import produce_raw
from tests.support.bundle import write_bundle
from tests.support.deployment import Deployment
from tests.support.groups import Groups
from tests.support.processes.authorized_bank import Bank
from tests.support.processes.bank_work import EVENTS, SECOND, leave_work, prepare
from tests.support.processes.reference_copy import copied
from tests.support.servers.authorizing import AuthorizingBroker
from tests.support.servers.redis_servers import RedisServer
from tests.support.workers import Worker

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FAIL_STOP, REFUSED = 70, 2
END_SECONDS = 90
WORKERS: tuple[WorkerRole, ...] = get_args(WorkerRole)
DESCRIBING = {"Describe", "DescribeConfigs"}


class Ending(NamedTuple):
    """How a worker ends without a right."""

    code: int | None
    """None: it works on."""
    word: str
    """In its log."""


def ending(right: Right, settings: Settings) -> Ending:
    """As docs/operate/security.md states it."""
    topics = settings.topics
    named = f"refuse {right.operation} on the {right.resource.replace('-', ' ')} {right.name}"
    if right == Right("topic", topics.worker_reports, "Write"):
        return Ending(None, named)
    at_start = right.operation in DESCRIBING or right.resource == "transactional-id"
    orders = right.operation == "Read" and right.name in {topics.control, topics.worker_reports, topics.lists}
    return Ending(REFUSED if at_start or orders else FAIL_STOP, named)


def essential(role: str, settings: Settings) -> list[Right]:
    """The rights without each of which the role behaves otherwise; of those to describe, one of each kind.

    Read and Write include Describe. Roles without models read orders only while a partition is stopped.
    """
    all_rights = sorted(
        rights(ROLES[role], settings), key=lambda right: _without_prefix(right.name, settings)
    )
    used = {right.name for right in all_rights if right.operation in {"Read", "Write"}}
    rest = [right for right in all_rights if right.operation != "Describe" or right.name not in used]
    if role != "risk":
        rest = [right for right in rest if right != Right("topic", settings.topics.control, "Read")]
    first = [next(group) for _, group in groupby(sorted(rest, key=_kind), key=_kind)]
    return [right for right in rest if right.operation not in DESCRIBING or right in first]


def _without_prefix(name: str, settings: Settings) -> str:
    """What the name is in every deployment: one under test gives all names a prefix, by which they sort otherwise."""
    group = settings.worker.app_id
    return name.removeprefix(group).removeprefix(group.removesuffix("-risk")).lstrip("-.")


def _kind(right: Right) -> tuple[str, str]:
    return right.operation, right.resource


CASES = [
    pytest.param(role, number, id=f"{role}-{right.operation}-{right.resource}-{right.name}")
    for role in WORKERS
    for number, right in enumerate(essential(role, Settings()))
]
"""The names of a deployment under test have a prefix, and the same order."""


@pytest.fixture(scope="module")
def bank(
    authorizing: AuthorizingBroker,
    redis: RedisServer,
    models: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bank]:
    directory = tmp_path_factory.mktemp("bank")
    own = shutil.copytree(models, directory / "models")
    write_bundle(own, "2", trees=20)
    made = Bank(authorizing, Deployment(authorizing, directory, own, partitions=2), redis)
    try:
        asyncio.run(prepare(made))
        yield made
    finally:
        made.deployment.clear_up()


@pytest.mark.parametrize(("role", "number"), CASES)
async def test_a_worker_ends_as_documented(bank: Bank, role: str, number: int) -> None:
    missing = essential(role, bank.settings)[number]
    expected = ending(missing, bank.settings)
    if missing.operation == "Write":
        await leave_work(bank, role)
    await bank.allow_all_but(role, missing)
    with running(bank.worker(role, f"{role}-{number}")) as worker:
        await ends(bank, worker, expected)


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    """The worker, started. One that does not end as expected must not do the work of the next case."""
    worker.start()
    try:
        yield worker
    finally:
        worker.clear_up()


async def ends(bank: Bank, worker: Worker, expected: Ending) -> None:
    if expected.code is None:
        async with asyncio.timeout(END_SECONDS):
            while expected.word not in worker.text():
                bank.deployment.require_workers()
                await asyncio.sleep(0.2)
        await bank.deployment.drained()
        assert worker.terminate() == 0
        return
    code = await asyncio.to_thread(worker.wait, END_SECONDS)
    assert code == expected.code, worker.tail()
    assert expected.word in worker.text(), worker.tail()
    assert REMEDY in worker.text()


async def test_nothing_is_lost_by_any_of_these_ends(bank: Bank) -> None:
    await bank.broker.allow(bank.rights())
    settings, topics, groups = bank.settings, bank.settings.topics, Groups(bank.deployment)
    workers = [bank.worker(role, f"{role}-after") for role in WORKERS]
    for worker in workers:
        worker.start()
    await bank.send(EVENTS)
    await bank.deployment.drained()
    await groups.drained(settings.entities.app_id, (topics.labels, topics.entity_activity))
    await groups.drained(settings.analytics.app_id, (topics.decisions, topics.labels))
    await groups.asked()

    assert [worker.terminate() for worker in workers] == [0] * len(workers)
    assert len(await bank.deployment.decisions()) == bank.sent
    letters = [record for record in await bank.deployment.read(topics.dead_letters) if record.value == b"{}"]
    assert len(letters) >= bank.damaged


COMMANDS = [
    ("operator", "control", "Read", ("model", "status")),
    ("operator", "worker_reports", "Read", ("model", "status")),
    ("operator", "control", "Write", ("model", "promote", SECOND, "--reason", "test", "--key", "orders.pem")),
    ("lists", "lists", "Read", ("lists", "history", "blocked")),
    ("lists", "lists", "Write", ("lists", "add", "blocked", "d1", "--reason", "test")),
    ("dead-letters", "dead_letters", "Read", ("dlq", "ls")),
    ("dead-letters", "transactions", "Write", ("dlq", "replay", "--all", "--yes")),
    ("topics", "transactions", "DescribeConfigs", ("topics", "check")),
]


@pytest.mark.parametrize(("role", "topic", "operation", "words"), COMMANDS)
async def test_a_command_names_the_right(
    bank: Bank, role: str, topic: str, operation: Operation, words: tuple[str, ...]
) -> None:
    missing = Right("topic", getattr(bank.settings.topics, topic), operation)
    await bank.allow_all_but(role, missing)
    given = [bank.key if word == "orders.pem" else word for word in words]

    done = await asyncio.to_thread(bank.run, role, *given)
    errors = done.stderr.decode()
    # The first request describes the topic, which no other right of these roles includes.
    refusals = {f"refuse {each} on the topic {missing.name}" for each in (operation, "Describe")}
    assert any(refusal in errors for refusal in refusals), errors
    assert REMEDY in errors
    assert "Traceback" not in errors
    assert done.returncode in {1, REFUSED}


@pytest.mark.parametrize("role", ["transactions", "labels"])
async def test_a_sender_names_the_right(bank: Bank, role: str) -> None:
    topic = getattr(bank.settings.topics, role)
    await bank.allow_all_but(role, Right("topic", topic, "Write"))

    with pytest.raises((SendFailed, RightMissing), match=topic) as refused:
        await produce_raw([(b"c1", b"{}")], topic=topic, kafka=bank.broker.kafka_of(role))
    assert REMEDY in str(refused.value)


@pytest.mark.parametrize("number", range(len(essential("reference", Settings()))))
async def test_the_copy_of_reference_tables_ends_with_the_name_of_the_right(bank: Bank, number: int) -> None:
    missing = essential("reference", bank.settings)[number]
    await bank.allow_all_but("reference", missing)

    # The end of the block raises the copy's error; without one, the copy is stopped after the wait.
    with pytest.raises(ConfigurationError, match=f"on the {missing.resource} {missing.name}") as refused:
        async with copied(bank.as_role("reference")) as (copying, _):
            await asyncio.wait([copying], timeout=END_SECONDS)
    assert REMEDY in str(refused.value)


@pytest.mark.parametrize("number", range(len(essential("monitor", Settings()))))
async def test_the_monitor_and_the_doctor_say_which_figure_needs_the_right(bank: Bank, number: int) -> None:
    missing = essential("monitor", bank.settings)[number]
    await bank.allow_all_but("monitor", missing)
    name = "" if missing.name == CLUSTER else missing.name

    seen = json.loads(await asyncio.to_thread(bank.call, "monitor", "monitor", "--json"))
    told = {(each["resource"], each["name"]) for each in seen["missing_rights"]}
    done = await asyncio.to_thread(bank.run, "monitor", "doctor", "--json")
    findings = {each["check"]: each for each in json.loads(done.stdout)["findings"]}
    tables = {bank.settings.cdc.customers_topic, bank.settings.cdc.terminals_topic}
    if missing.operation == "DescribeConfigs":
        assert "DescribeConfigs on the topic" in findings["topics"]["found"]
    elif missing.resource == "transactional-id":  # documented: the id of an open transaction is unknown
        assert told == set()
    elif missing.operation == "Describe" or name in tables:
        assert told == {(missing.resource, name)}
        assert findings["rights"]["outcome"] == "warning"
    else:  # records are read only where some wait
        assert told <= {("topic", name)}
    assert "Traceback" not in done.stderr.decode()
