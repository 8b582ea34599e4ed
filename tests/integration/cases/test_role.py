"""Workers of the role cases with a real Kafka and a real Postgres, killed while alerts flow."""

import asyncio
import random

import pytest

from app.settings import CasesSettings
from tests.integration.cases.postgres_server import PostgresServer
from tests.integration.cases.role import Role, traffic
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
