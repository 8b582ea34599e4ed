"""Workers of the role cases with a real Kafka and a real Postgres, killed while alerts flow."""

import asyncio
import json
import random

import pytest

from app.settings import CasesSettings, Stream
from tests.integration.cases.postgres_server import PostgresServer
from tests.integration.cases.role import Role, Sent, alert, traffic
from tests.support.commands import call
from tests.support.deployment import Deployment

pytestmark = pytest.mark.integration

CUSTOMERS = 40


@pytest.fixture
def role(deployment: Deployment, postgres: PostgresServer, cases: CasesSettings) -> Role:
    return Role(deployment, postgres, cases)


async def test_nothing_is_lost_or_doubled_when_the_role_is_killed_at_random_points(role: Role) -> None:
    generator = random.Random(11)
    sending = asyncio.create_task(role.send(traffic(0, 900, CUSTOMERS), pause_seconds=0.005))
    worker = role.worker()
    for _ in range(5):
        worker.start()
        await asyncio.to_thread(worker.wait_started)
        await asyncio.sleep(generator.uniform(0.2, 2.5))
        await asyncio.to_thread(worker.kill)
    await sending
    worker.start()

    await role.settled()
    await role.require_equal_to_the_topics()

    letters = await role.deployment.read(role.deployment.settings.topics.dead_letters)
    assert {b"{nonsense %d" % number for number in range(0, 900, 25)} == {letter.value for letter in letters}
    assert worker.terminate() == 0


async def test_two_workers_share_the_topics_and_survive_each_other(role: Role) -> None:
    workers = [role.worker(f"cases-{number}") for number in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        await asyncio.to_thread(worker.wait_started)
    sending = asyncio.create_task(role.send(traffic(0, 600, CUSTOMERS), pause_seconds=0.005))
    await asyncio.sleep(1.5)
    await asyncio.to_thread(workers[0].kill)
    await asyncio.sleep(1)
    workers[0].start()
    await sending

    await role.settled()
    await role.require_equal_to_the_topics()


async def test_a_database_that_restarts_is_waited_for_and_one_that_stays_away_ends_the_worker(
    role: Role, postgres: PostgresServer
) -> None:
    worker = role.worker(FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS="15")
    worker.start()
    await asyncio.to_thread(worker.wait_started)
    sending = asyncio.create_task(role.send(traffic(0, 300, CUSTOMERS), pause_seconds=0.01))
    await asyncio.sleep(1)
    postgres.kill()
    await asyncio.sleep(2)
    await asyncio.to_thread(postgres.start)
    await sending
    await role.settled()
    await role.require_equal_to_the_topics()
    assert worker.lines_with("database_away") > 0
    await asyncio.to_thread(worker.terminate)

    impatient = role.worker("cases-2", FRAUDSTREAM_CASES_DATABASE_WAIT_SECONDS="2")
    impatient.start()
    await asyncio.to_thread(impatient.wait_started)
    postgres.kill()
    try:
        await role.send(traffic(300, 50, CUSTOMERS))
        assert await asyncio.to_thread(impatient.wait) == 70
        assert impatient.lines_with("DatabaseAway") > 0
    finally:
        await asyncio.to_thread(postgres.start)
    worker.start()
    await role.settled()
    await role.require_equal_to_the_topics()


async def test_the_tables_are_rebuilt_from_the_topics(role: Role) -> None:
    worker = role.worker()
    worker.start()
    await role.send(traffic(0, 200, CUSTOMERS))
    await role.settled()
    await asyncio.to_thread(worker.terminate)
    columns = (
        "case_id, customer_id, status, version, opened_at, due_at, changed_at, alert_count, expected_loss"
    )
    statements = (
        f"SELECT {columns} FROM cases ORDER BY case_id",  # noqa: S608  # constants
        "SELECT alert_id, case_id, body FROM alerts ORDER BY alert_id",
        "SELECT * FROM labels ORDER BY transaction_id",
        "SELECT * FROM answers ORDER BY transaction_id",
        "SELECT * FROM offsets ORDER BY topic, partition",
    )
    before = [role.query(statement) for statement in statements]
    other = {"FRAUDSTREAM_CASES_DATABASE_SCHEMA": f"{role.schema}_again"}

    done = await asyncio.to_thread(call, role.deployment, "cases", "rebuild", "--json", **other)

    assert done.returncode == 0, done.stderr
    assert {"opened": 0, "rejected": 8} == {
        name: value for name, value in json.loads(done.stdout).items() if name in {"opened", "rejected"}
    }
    role.schema = other["FRAUDSTREAM_CASES_DATABASE_SCHEMA"]
    assert before == [role.query(statement) for statement in statements]
    again = await asyncio.to_thread(call, role.deployment, "cases", "rebuild", **other)
    assert again.returncode == 2
    assert b"holds cases" in again.stderr


async def test_the_commands_print_what_the_database_holds(role: Role) -> None:
    worker = role.worker()
    worker.in_full = True  # as tests/integration/workers/test_ordinary_start.py does for the other roles
    worker.start()
    customer = "c1"
    await role.send(
        [Sent(Stream.ALERTS, customer, json.dumps(alert(7, customer, 1_750_000_000_000)).encode())]
    )
    await role.settled()

    listed = await asyncio.to_thread(call, role.deployment, "cases", "list")
    shown = await asyncio.to_thread(call, role.deployment, "cases", "show", "case-t7", "--json")
    missing = await asyncio.to_thread(call, role.deployment, "cases", "show", "case-none")
    hiding = ("cases", "suppress", "terminal", "m1", "--days", "1", "--reason", "test device", "--by", "ann")
    hidden = await asyncio.to_thread(call, role.deployment, *hiding)
    report = await asyncio.to_thread(call, role.deployment, "cases", "hidden", "--json")

    assert b"case-t7" in listed.stdout
    assert ["alert-t7"] == [one["alert_id"] for one in json.loads(shown.stdout)["alerts"]]
    assert (missing.returncode, hidden.returncode) == (2, 0)
    assert "test device" == json.loads(report.stdout)["reason"]


async def test_a_worker_without_a_database_or_with_a_wrong_user_is_refused(role: Role) -> None:
    for setting, value, said in (
        ("FRAUDSTREAM_CASES_DATABASE_URL", "", "FRAUDSTREAM_CASES_DATABASE_URL is not set"),
        ("FRAUDSTREAM_CASES_USERNAME", "nobody-known", "FRAUDSTREAM_CASES_USERNAME"),
    ):
        worker = role.worker(f"wrong-{len(value)}", **{setting: value})
        worker.may_end = True
        worker.start()

        assert await asyncio.to_thread(worker.wait) == 2
        assert worker.lines_with(said) > 0
