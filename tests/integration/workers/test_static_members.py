"""Static members: a worker that returns within its session gets its partitions back, and no other partition moves."""

import asyncio
import time

import pytest

from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = pytest.mark.integration

HANDOVER = "Executing _on_partitions_assigned"
SESSION = {
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": "120",
    "FRAUDSTREAM_KAFKA_REQUEST_TIMEOUT_SECONDS": "120",
}
"""Longer than a restart takes on a busy machine."""
SECONDS = 90.0


async def has_partitions(worker: Worker, handovers: int) -> None:
    """Return when the worker has been assigned partitions so many times."""
    deadline = time.monotonic() + SECONDS
    while worker.lines_with(HANDOVER) < handovers:
        worker.require_running()
        assert time.monotonic() < deadline, worker.tail()
        await asyncio.sleep(0.2)


async def test_a_named_worker_gets_its_partitions_back_and_no_other_partition_moves(
    deployment: Deployment,
) -> None:
    """Each worker once, since one of them leads the group: one is stopped, the other is killed."""
    one, two = (
        deployment.worker(name, FRAUDSTREAM_WORKER_INSTANCE_ID=name, **SESSION) for name in ("one", "two")
    )
    one.start()
    await has_partitions(one, 1)
    two.start()
    await has_partitions(two, 1)
    await has_partitions(one, 2)
    await deployment.produce(traffic(2_000, seed=61))
    await deployment.drained()

    restarts = ((one, two, one.terminate), (two, one, two.kill))
    for number, (restarted, other, stop) in enumerate(restarts):
        handovers = other.lines_with(HANDOVER)
        stop()
        await deployment.produce(traffic(2_000, seed=62 + number))
        restarted.start()
        await deployment.drained()

        assert handovers == other.lines_with(HANDOVER)

    assert [0, 0] == [one.terminate(), two.terminate()]
    await check_guarantee(deployment)
