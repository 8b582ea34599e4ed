"""A table of a real Postgres, streamed by Debezium: every row is decided once, though connectors are killed and rows are sent twice."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.adapters.kafka.admin import topic_ids
from app.adapters.kafka.partitioner import partition_of
from app.adapters.redis.client import connect
from app.adapters.redis.reference_redis import ReferenceStore
from app.domain.transaction import Transaction
from app.local import extras
from app.local import stack as local_stack
from app.local.processes import wait_gone
from app.local.state import Stack
from app.reference.redis_sync import kinds
from app.settings import values
from tests.support.bank import MAPPING, SECONDS, Bank, Row, change, decided, rows
from tests.support.commands import COMMAND, call
from tests.support.deployment import Deployment

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

FILES = ("transactions.json", "transactions-flattened.json")


@pytest.fixture(scope="module")
def bank_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("bank")
    try:
        yield local_stack.start(directory, 1, lifeline_pid=os.getpid(), also=["postgres", "connect"])
    finally:
        local_stack.stop(directory)


@pytest.fixture
def bank(bank_stack: Stack) -> Iterator[Bank]:
    opened = Bank(extras.urls(bank_stack))
    yield opened
    opened.close()


@pytest.fixture
async def deployments(bank_stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[list[Deployment]]:
    """One deployment for each form of change events."""
    deployed = []
    for file in FILES:
        directory = tmp_path / file
        directory.mkdir()
        deployed.append(Deployment(bank_stack, directory, models))
        await deployed[-1].ensure_topics()
    yield deployed
    for deployment in deployed:
        deployment.clear_up()
        print(deployment.tails())  # noqa: T201  # beneath a failure


def killed(stack: Stack) -> None:
    """Kill Kafka Connect with SIGKILL."""
    (part,) = [part for part in stack.parts if part.name == "connect"]
    assert part.process is not None
    os.kill(part.pid, signal.SIGKILL)
    assert wait_gone([part.process], 30) == []


def direct(row: Row) -> Transaction:
    """The transaction that a direct producer sends for a row of the same customer."""
    return Transaction(
        transaction_id=f"direct-{row.transaction_id}",
        customer_id=row.customer_id,
        terminal_id=row.terminal_id,
        event_time=row.event_time_ms,
        amount_minor=row.amount_minor,
        currency=row.currency,
    )


async def test_every_row_is_decided_once_in_both_forms(
    bank_stack: Stack, bank: Bank, deployments: list[Deployment]
) -> None:
    bank.insert(rows(120, "snapshot"))
    for deployment, file in zip(deployments, FILES, strict=True):
        deployment.worker(FRAUDSTREAM_CDC_MAPPING=str(MAPPING)).start()
        bank.register(deployment, file)
        await deployment.produce(map(direct, bank.inserted))
    bank.insert(rows(60, "streamed", seed=8))
    await change(bank)
    for deployment in deployments:
        await decided(deployment, bank.inserted)
    position = bank.wal()
    bank.insert(rows(5, "settled", seed=9))
    await bank.confirmed(position)

    bank.insert(rows(60, "sent-twice", seed=10))
    for deployment in deployments:
        await decided(deployment, bank.inserted)
    killed(bank_stack)
    bank.insert(rows(40, "while-down", seed=11))
    await asyncio.to_thread(local_stack.start_dead, bank_stack.directory)
    bank.insert(rows(20, "afterwards", seed=12))

    for deployment in deployments:
        await decided(deployment, bank.inserted)
        await deployment.drained()
        await check(deployment, bank)
    status = call(deployments[0], "cdc", "status", FRAUDSTREAM_CDC_CONNECT_URL=bank.urls["connect"])
    assert status.returncode == 0, status.stdout
    check_measured(deployments[0], bank)


async def test_redis_holds_the_customers_and_terminals_of_their_tables(
    bank_stack: Stack, bank: Bank, models: Path, tmp_path: Path
) -> None:
    deployment = Deployment(bank_stack, tmp_path, models)
    write_reference(bank, "first")
    bank.register_reference(deployment)
    await made(deployment)
    environment = {name: str(value) for name, value in values(deployment.settings).items()}
    environment |= {
        **bank_stack.redis_environment,
        "FRAUDSTREAM_REDIS_KEY_PREFIX": "bank-test",
    }
    with following(environment, tmp_path) as process:
        await in_redis(bank_stack, bank)
        bank.execute("UPDATE customers SET segment = 'moved on' WHERE customer_id < 'c2'")
        bank.execute("DELETE FROM terminals WHERE terminal_id < 'm3'")
        await in_redis(bank_stack, bank)
        process.kill()
    write_reference(bank, "second")
    bank.execute("DELETE FROM customers WHERE customer_id > 'c7'")
    with following(environment, tmp_path) as process:
        await in_redis(bank_stack, bank)
        process.terminate()
        assert process.wait(60) == 0


async def made(deployment: Deployment) -> None:
    """Return when Connect has made the topics of both tables, which it does with their first rows."""
    names, deadline = set(kinds(deployment.settings)), time.monotonic() + SECONDS
    while (found := set(await topic_ids(deployment.settings.kafka, names))) != names:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)


def write_reference(bank: Bank, name: str) -> None:
    for number in range(10):
        bank.execute(
            "INSERT INTO customers (customer_id, name, segment) VALUES (%s, %s, 'student') "
            "ON CONFLICT (customer_id) DO UPDATE SET name = EXCLUDED.name",
            *(f"c{number}", f"{name} {number}"),
        )
        bank.execute(
            "INSERT INTO terminals (terminal_id, name, city) VALUES (%s, %s, 'Lyon') "
            "ON CONFLICT (terminal_id) DO UPDATE SET name = EXCLUDED.name",
            *(f"m{number}", f"{name} {number}"),
        )


@contextmanager
def following(environment: dict[str, str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`fraudstream cdc reference`."""
    with (directory / "reference.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # ours
            [COMMAND, "cdc", "reference"], env=os.environ | environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        print((directory / "reference.log").read_text())  # noqa: T201  # beneath a failure


async def in_redis(stack: Stack, bank: Bank) -> None:
    """Return when Redis holds every row of both tables, and nothing of a deleted row."""
    client = connect(stack.redis, 5.0)
    reference, deadline = ReferenceStore(client, "bank-test"), time.monotonic() + SECONDS
    expected = [
        next((row for row in bank.all(table) if row[f"{kind}_id"] == name), {})
        for table, kind, names in (("customers", "customer", "c"), ("terminals", "terminal", "m"))
        for name in (f"{names}{number}" for number in range(10))
    ]
    wanted = [("customer", f"c{n}") for n in range(10)] + [("terminal", f"m{n}") for n in range(10)]
    try:
        while (found := await reference.find(wanted)) != expected:
            assert time.monotonic() < deadline, (found, expected)
            await asyncio.sleep(0.2)
    finally:
        await client.aclose()


def check_measured(deployment: Deployment, bank: Bank) -> None:
    before = bank.one("SELECT count(*) FROM transactions")
    done = call(deployment, "cdc", "latency", "--database", bank.urls["postgres"], "--rows", "40", "--json")
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert (40, 40, 0) == (found["rows"], found["decided"], found["repeated"])
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["most_ms"]
    assert before == bank.one("SELECT count(*) FROM transactions")


async def check(deployment: Deployment, bank: Bank) -> None:
    """Compare with the inserted rows and with the rows of the table."""
    decisions = await deployment.decisions()
    own = {name: found for name, found in decisions.items() if not name.startswith("direct-")}
    assert {row.transaction_id for row in bank.inserted} == set(own)
    assert set(Counter(map(len, decisions.values()))) == {1}
    for row in bank.inserted:
        (decision,) = own[row.transaction_id]
        transaction = decision["transaction"]
        assert (row.customer_id, row.amount_minor, row.currency, row.event_time_ms) == tuple(
            transaction[name] for name in ("customer_id", "amount_minor", "currency", "event_time")
        )
    assert bank.one("SELECT count(*) FROM transactions") == len(own) - 10
    assert await deployment.read(deployment.settings.topics.dead_letters) == []
    check_records(await deployment.read(deployment.settings.topics.transactions), deployment.partitions)


def check_records(records: list[Any], partitions: int) -> None:
    """Keys are plain, in the partition where a direct producer's are; something was sent twice, or nothing was tried."""
    for record in records:
        assert record.partition == partition_of(record.key, partitions)
    values = [(record, json.loads(record.value)) for record in records if record.value is not None]
    begun = Counter[str]()
    customers = {True: set[bytes](), False: set[bytes]()}
    for record, value in values:
        operation = value.get("op", value.get("__op"))
        row = (value.get("after") or value.get("before")) if "op" in value else value
        assert record.key == row["customer_id"].encode()
        customers[operation is None].add(record.key)
        begun[row["transaction_id"]] += operation in {"c", "r"}
    assert customers[True] <= customers[False]
    assert {"u", "d", "c", "r"} <= {value.get("op", value.get("__op")) for _, value in values}
    assert any(times > 1 for name, times in begun.items() if name.startswith("sent-twice"))
