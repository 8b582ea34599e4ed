"""Probes, watchdog and bounded stop of real workers: a stalled worker ends itself, an idle one does not."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.domain.transaction import Transaction
from app.errors import ConfigurationError
from app.local import stack as local_stack
from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP
from tests.support.deployment import Deployment, check_guarantee
from tests.support.probing import Answer, Probed, probed, sabotaged
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration

STALL_SECONDS = 6
SLACK_SECONDS = 30

FINISHES_NOTHING = """
from app.streaming.delivery.order_of_writes import OrderOfWrites
OrderOfWrites.finish = lambda _, chunk: print(f"unfinished partition {chunk.computed.partition}", flush=True)
"""
LOOP_STANDS_STILL = """
import threading
from app.processing.score_chunk import ChunkScorer
ChunkScorer.fold = lambda *_: threading.Event().wait()
"""
FETCHES_NOTHING = """
import asyncio
from app.streaming.consumer.chunk_consumer import ChunkConsumer
async def getmany(*_, **__):
    await asyncio.Event().wait()
    yield
ChunkConsumer.getmany = getmany
"""
AGENT_TAKES_NOTHING = """
import asyncio
from app.streaming.roles.risk import RiskWorker
async def accept(*_):
    await asyncio.Event().wait()
RiskWorker.accept = accept
"""
RESTORE_NEVER_ENDS = """
import asyncio
from app.streaming.state.restore import Restore
async def run(*_):
    await asyncio.Event().wait()
Restore.run = run
"""


@pytest.fixture
async def alone(directory: Path, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    """A deployment on its own broker, which the test may stop."""
    stack = await asyncio.to_thread(local_stack.start, directory, 1, None, os.getpid())
    deployed = Deployment(stack, tmp_path, models)
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    for broker in stack.brokers:
        os.kill(broker.pid, signal.SIGCONT)  # or it could not be asked to end
    print(deployed.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


def broker_pid(deployment: Deployment, directory: Path) -> int:
    stack = local_stack.status(directory)
    assert stack is not None
    assert deployment.servers == stack.bootstrap_servers
    return stack.brokers[0].pid


async def idle(deployment: Deployment, seed: int) -> Probed:
    """A worker that has processed all transactions."""
    probed_worker = probed(deployment)
    probed_worker.worker.start()
    await probed_worker.until("/readyz", 200)
    await deployment.produce(traffic(500, seed=seed))
    await deployment.drained()
    return probed_worker


async def test_a_worker_is_started_then_ready_and_alive_all_the_time(deployment: Deployment) -> None:
    worker, _ = probed_worker = probed(deployment)
    worker.start()

    starting = await probed_worker.until("/startupz", 200)
    getting_ready = await probed_worker.until("/readyz", 200)

    assert Answer(503, "starting") in starting
    assert Answer(200, "started") == starting[-1]
    assert {503, 200} == {answer.status for answer in getting_ready}
    assert Answer(200, "serving 4 partitions") == getting_ready[-1]
    assert 404 == probed_worker.ask("/")[0]
    await deployment.produce(traffic(200, seed=41))
    await deployment.drained()
    for _ in range(STALL_SECONDS + 2):  # longer than a stall: it is idle
        assert Answer(200, "serving") == probed_worker.ask("/livez")
        await asyncio.sleep(1)
    assert "fraudstream_late_total" in probed_worker.ask("/metrics").text
    assert 0 == worker.terminate()


async def test_a_spare_worker_is_ready_and_alive_without_partitions(deployment: Deployment) -> None:
    workers = [probed(deployment, f"worker-{number}") for number in range(5)]
    for worker, _ in workers:
        worker.start()
    for probed_worker in workers:
        await probed_worker.until("/readyz", 200, seconds=120)
    await asyncio.sleep(STALL_SECONDS + 2)

    answers = sorted(probed_worker.ask("/readyz").text for probed_worker in workers)
    assert ["serving 0 partitions", *["serving 1 partitions"] * 4] == answers
    assert {200} == {probed_worker.ask("/livez").status for probed_worker in workers}
    for worker, _ in workers:
        worker.kill()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (FINISHES_NOTHING, "Stalled", "no chunk in flight was finished for"),
        (AGENT_TAKES_NOTHING, "Stalled", "no chunk fetched was taken up for"),
        (FETCHES_NOTHING, "Stalled", "no record of those waiting was fetched for"),
        (RESTORE_NEVER_ENDS, "Stalled", "no record of those waiting was fetched for"),
        (LOOP_STANDS_STILL, "Paused", "the event loop did not run for"),
    ],
    ids=["writes", "agent", "fetches", "restore", "event loop"],
)
async def test_a_stalled_worker_ends_itself_and_names_what_stalled(
    wrong: str, error: str, message: str, deployment: Deployment
) -> None:
    """Its heartbeats continue: unless it ends, no other worker ever gets the partitions."""
    await deployment.produce(traffic(500, seed=42))
    broken = sabotaged(deployment, wrong)
    broken.start()
    broken.wait_started()

    assert EXIT_FAIL_STOP == await asyncio.to_thread(broken.wait, SLACK_SECONDS)
    assert re.search(rf"\b{error}: .*{message}", broken.text())
    sound = deployment.worker("sound")
    sound.start()
    await deployment.drained()
    assert 0 == sound.terminate()
    await check_guarantee(deployment, sound)


async def produce_when_back(deployed: Deployment, transactions: list[Transaction]) -> None:
    """Send as soon as the broker lists itself: one that hung longer than its session is fenced for a moment."""
    while True:
        with suppress(ConfigurationError):  # raised before anything is sent
            return await deployed.produce(transactions)
        await asyncio.sleep(0.2)


async def test_an_idle_worker_survives_a_hanging_broker_and_resumes(
    alone: Deployment, directory: Path
) -> None:
    probed_worker = await idle(alone, seed=43)
    os.kill(broker_pid(alone, directory), signal.SIGSTOP)
    for _ in range(3 * STALL_SECONDS):
        assert 200 == probed_worker.ask("/livez").status, probed_worker.worker.tail()
        await asyncio.sleep(1)
    os.kill(broker_pid(alone, directory), signal.SIGCONT)

    await produce_when_back(alone, list(traffic(200, seed=44)))
    await alone.drained()
    assert 0 == probed_worker.worker.terminate()
    await check_guarantee(alone, probed_worker.worker)


async def test_a_stop_is_bounded_though_the_broker_hangs_and_loses_nothing(
    alone: Deployment, directory: Path
) -> None:
    probed_worker = await idle(alone, seed=45)
    os.kill(broker_pid(alone, directory), signal.SIGSTOP)
    await asyncio.sleep(1)
    asked = time.monotonic()
    code = await asyncio.to_thread(probed_worker.worker.terminate)
    took_seconds = time.monotonic() - asked
    os.kill(broker_pid(alone, directory), signal.SIGCONT)

    assert EXIT_FAIL_STOP == code
    assert took_seconds < 5 + 5, "the bound, and what a busy machine takes to end a process"
    assert "StopOverdue: asked to stop 5 s ago; no chunk is unfinished" in probed_worker.worker.text()
    probed_worker.worker.start()
    await alone.produce(traffic(500, seed=46))
    await alone.drained()
    assert 0 == probed_worker.worker.terminate()
    await check_guarantee(alone, probed_worker.worker)


async def test_an_overdue_stop_names_the_unfinished_partitions(deployment: Deployment) -> None:
    broken = sabotaged(deployment, FINISHES_NOTHING, FRAUDSTREAM_WORKER_STALL_SECONDS="60")
    broken.start()
    await deployment.produce(traffic(500, seed=47))
    for partition in range(deployment.partitions):
        while not broken.lines_with(f"unfinished partition {partition}"):
            deployment.require_workers()
            await asyncio.sleep(0.1)

    assert EXIT_FAIL_STOP == await asyncio.to_thread(broken.terminate)
    assert (
        "StopOverdue: asked to stop 5 s ago; chunks of partitions [0, 1, 2, 3] are unfinished"
        in broken.text()
    )
