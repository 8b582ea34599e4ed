"""The zombie: a worker that was frozen past its session resumes with chunks that another worker has scored since."""

import os
import signal

import pytest

from app.streaming.delivery.fail_stop import EXIT_FAIL_STOP
from tests.support.deployment import SHORT_SESSION, Deployment, check_guarantee
from tests.support.traffic import traffic

pytestmark = pytest.mark.integration


async def test_a_worker_frozen_past_its_session_ends_itself_and_leaves_no_trace(
    deployment: Deployment,
) -> None:
    frozen = deployment.worker("frozen", **SHORT_SESSION)
    other = deployment.worker("other", **SHORT_SESSION)
    frozen.start()
    sending = deployment.sending(traffic(30_000, seed=11), rate=1_500)
    await deployment.decided(3_000)

    os.kill(frozen.pid, signal.SIGSTOP)
    other.start()
    await deployment.decided(20_000)
    os.kill(frozen.pid, signal.SIGCONT)

    assert EXIT_FAIL_STOP == frozen.wait()
    assert frozen.lines_with("Paused") > 0
    await sending
    await deployment.drained()
    assert 0 == other.terminate()
    await check_guarantee(deployment, other)
