"""Tests that wait for a worker fail at once, with its log, when it has ended unexpectedly."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import Deployment
from tests.support.processes import fork_server
from tests.support.processes.fork_server import AVAILABLE, ForkServer
from tests.support.workers import Worker

WAIT_SECONDS = 60.0
ENDS = "print('the reason')\nraise SystemExit(3)\n"
STAYS = "import time\nprint('started', flush=True)\ntime.sleep(600)\n"


class _Stack:
    bootstrap_servers = "127.0.0.1:1"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    deployed = Deployment(_Stack(), tmp_path, tmp_path)
    yield deployed
    deployed.clear_up()


def worker_running(code: str, deployment: Deployment) -> Worker:
    """A worker whose application is ``code``."""
    folder = deployment.directory / "modules"
    folder.mkdir()
    (folder / "instead.py").write_text(code, encoding="utf-8")
    worker = deployment.worker(PYTHONPATH=str(folder))
    worker.application = "instead"
    return worker


def ended(worker: Worker) -> Worker:
    worker.start()
    deadline = time.monotonic() + WAIT_SECONDS
    while worker.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return worker


def test_waiting_for_a_dead_worker_fails_with_its_exit_code_and_log(deployment: Deployment) -> None:
    ended(worker_running(ENDS, deployment))

    with pytest.raises(AssertionError, match=r"(?s)worker-1 ended with exit code 3.*the reason"):
        deployment.require_workers()


def test_a_worker_killed_by_the_test_is_no_failure(deployment: Deployment) -> None:
    worker = worker_running(STAYS, deployment)
    deployment.require_workers()
    worker.start()
    deployment.require_workers()
    worker.kill()
    deployment.require_workers()

    assert -9 == worker.wait()


def test_an_end_that_the_test_allowed_or_awaited_is_no_failure(deployment: Deployment) -> None:
    worker = ended(worker_running(ENDS, deployment))
    worker.may_end = True
    deployment.require_workers()
    worker.may_end = False

    assert 3 == worker.wait()
    deployment.require_workers()


@pytest.mark.skipif(not AVAILABLE, reason="workers are forked on Linux only")
def test_a_forked_worker_restarts_and_ends_with_its_server(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = ForkServer(tmp_path / "fork-server.log")
    monkeypatch.setattr(fork_server, "running", server)
    worker = worker_running(f"import sys\nprint(sys.argv)\n{STAYS}", deployment)
    worker.start()
    worker.wait_started()
    worker.terminate()
    worker.start()
    worker.wait_started()

    server.close()

    assert worker.wait() == -9
    assert worker.lines_with("['faust', '-A', 'instead', 'worker', '-l', 'info']") == 2
    assert sys.argv[0] != "faust"
