"""A worker that is stopped while another joins ends in order, and the group does not wait for its session."""

import asyncio
import time

import pytest

from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = pytest.mark.integration

SESSION_SECONDS = 60
"""Longer than the test may take: the group would wait so long for a worker that does not leave."""
SOON_SECONDS = 20.0
SETTINGS = {
    "FRAUDSTREAM_KAFKA_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS),
    "FRAUDSTREAM_KAFKA_REQUEST_TIMEOUT_SECONDS": str(SESSION_SECONDS),
}


async def test_a_worker_that_is_stopped_while_another_joins_leaves_in_order(deployment: Deployment) -> None:
    leaving, joining = (deployment.worker(name, **SETTINGS) for name in ("leaving", "joining"))
    leaving.application = "tests.support.processes.rebalanced_while_stopping"
    leaving.start()
    await deployment.produce(traffic(1_000, seed=71))
    await deployment.drained()
    joining.start()
    await asyncio.to_thread(joining.wait_started)

    code = await asyncio.to_thread(leaving.terminate)
    ended = time.monotonic()
    await deployment.produce(traffic(1_000, seed=72))
    await deployment.drained()

    assert code == 0, leaving.tail()
    assert time.monotonic() - ended < SOON_SECONDS, tails(leaving, joining)
    assert joining.terminate() == 0
    await check_guarantee(deployment)


def tails(*workers: Worker) -> str:
    return "\n".join(worker.tail() for worker in workers)
