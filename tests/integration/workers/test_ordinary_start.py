"""A worker of each role is started by `python -m faust`; other tests fork their workers from a preloaded process."""

import asyncio

import pytest

from app.local.state import Stack
from app.version import VERSION
from tests.support.deployment import Deployment
from tests.support.entities import Entities
from tests.support.groups import Groups
from tests.support.workers import Worker

pytestmark = pytest.mark.integration

ASSIGNED = "Executing _on_partitions_assigned"


def worker_of(role: str, deployment: Deployment, stack: Stack) -> Worker:
    if role == "risk":
        return deployment.worker()
    if role == "entities":
        return Entities(deployment, stack.redis).worker()
    groups = Groups(deployment)
    return groups.analytics() if role == "analytics" else groups.crm()


@pytest.mark.parametrize("role", ["risk", "entities", "analytics", "crm"])
async def test_a_worker_imports_all_it_needs_and_starts_and_stops(
    role: str, deployment: Deployment, stack: Stack
) -> None:
    worker = worker_of(role, deployment, stack)
    worker.in_full = True
    worker.start()

    while worker.lines_with(ASSIGNED) == 0:
        deployment.require_workers()
        await asyncio.sleep(0.1)
    assert worker.terminate() == 0
    (starting,) = (line for line in worker.text().splitlines() if "starting" in line and "faust_app" in line)
    assert VERSION in starting
    assert role in starting
