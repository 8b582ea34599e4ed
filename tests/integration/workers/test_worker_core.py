"""A worker process that is bound to one CPU core."""

import os
from pathlib import Path

import pytest

from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic
from tests.support.workers import Worker

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not hasattr(os, "sched_setaffinity"), reason="this system lets no process choose its cores"
    ),
]

REFUSED = 2


def cores_by_thread(worker: Worker) -> dict[str, set[int]]:
    tasks = Path(f"/proc/{worker.pid}/task")
    return {
        f"{(task / 'comm').read_text().strip()} {task.name}": os.sched_getaffinity(int(task.name))
        for task in tasks.iterdir()
    }


async def test_all_threads_run_on_the_given_core_and_decisions_are_unchanged(deployment: Deployment) -> None:
    core = min(os.sched_getaffinity(0))
    worker = deployment.worker(FRAUDSTREAM_WORKER_CORE=str(core))
    worker.start()
    await deployment.produce(traffic(500, seed=71))
    await deployment.drained()

    cores = cores_by_thread(worker)
    assert len(cores) > 1
    assert cores == {thread: {core} for thread in cores}
    assert worker.terminate() == 0
    await check_guarantee(deployment, worker)


async def test_an_unavailable_core_is_refused(deployment: Deployment) -> None:
    worker = deployment.worker(FRAUDSTREAM_WORKER_CORE="4095")
    worker.start()

    assert worker.wait() == REFUSED
    assert "FRAUDSTREAM_WORKER_CORE=4095" in worker.text()
    assert "Traceback" not in worker.text()
