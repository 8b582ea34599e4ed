"""A worker with a wrong clock ends before its first decision; one with a right clock then decides everything."""

import re
import shutil
import subprocess

import pytest

from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP
from tests.support.deployment import Deployment, check_guarantee
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration


@pytest.fixture
def faketime() -> str:
    """The library that gives a process another clock."""
    command = shutil.which("faketime")
    if command is None:
        pytest.skip("the command faketime is not installed: no process can be given a wrong clock")
    shown = subprocess.run([command, "-f", "+0", "printenv", "LD_PRELOAD"], check=True, capture_output=True)  # noqa: S603  # ours
    return shown.stdout.decode().strip()


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        pytest.param("+2h", r"this machine's clock is (2 h|1 h 59 min).* ahead of the brokers'", id="fast"),
        pytest.param("-10m", r"this machine's clock is (10|9) min.* behind the brokers'", id="slow"),
    ],
)
async def test_a_wrong_clock_ends_the_worker_and_no_transaction_is_lost(
    deployment: Deployment, faketime: str, offset: str, said: str
) -> None:
    await deployment.produce(traffic(500, seed=3))
    wrong = deployment.worker("wrong", LD_PRELOAD=faketime, FAKETIME=offset, DONT_FAKE_MONOTONIC="1")
    wrong.in_full = True  # a fork has loaded its libraries
    wrong.start()

    assert wrong.wait() == EXIT_FAIL_STOP
    assert any(re.search(said, line) for line in wrong.text().splitlines()), wrong.text()[-3000:]
    topics = deployment.settings.topics
    assert not await deployment.read(topics.decisions)
    assert not await deployment.read(topics.dead_letters)

    right = deployment.worker("right")
    right.start()
    await deployment.drained()
    assert right.terminate() == 0
    await check_guarantee(deployment, right)
    assert not await deployment.read(topics.dead_letters)
