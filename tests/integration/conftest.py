"""Real servers and workers. They end with the test run, however it ends."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.local import stack as local_stack
from app.local.kafka import Listeners
from app.local.state import Stack
from tests.support.deployment import Deployment
from tests.support.processes import fork_server

SHORT_SESSIONS = Listeners(properties={"group.min.session.timeout.ms": 1_000})
"""Kafka's default is six seconds, which every test of a killed worker would wait for."""


@pytest.fixture(scope="session", autouse=True)
def forked_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workers and commands are forked from one process per xdist worker, except workers with ``in_full``."""
    if not fork_server.AVAILABLE:
        yield
        return
    server = fork_server.ForkServer(tmp_path_factory.mktemp("forks") / "fork-server.log")
    fork_server.running = server
    yield
    fork_server.running = None
    server.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One broker and one Redis for all tests; each test has its own topic, group and key names.

    The xdist workers of a run share it: the first one starts it, and it ends with the process that runs them.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        yield local_stack.start(base.parent / "stack", 1, None, os.getppid(), SHORT_SESSIONS)
    else:
        yield from _running(base / "stack", brokers=1)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One broker and one Redis for the tests of a module."""
    yield from _running(tmp_path_factory.mktemp("own-stack"), brokers=1)


@pytest.fixture
def stack3(tmp_path: Path) -> Iterator[Stack]:
    """Three brokers for one test, which may kill them."""
    yield from _running(tmp_path / "stack3", brokers=3)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """The directory of a stack that the test starts itself; the stack ends with the test."""
    yield tmp_path / "stack"
    local_stack.stop(tmp_path / "stack")


@pytest.fixture
async def deployment(stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    """A deployment with its own topics and consumer groups. Its workers end and its topics are deleted after the test;
    pytest shows the ends of the workers' logs when the test fails.
    """
    deployed = Deployment(stack, tmp_path, models)
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # shown beneath a failure only
    await deployed.delete_topics()


def _running(directory: Path, brokers: int) -> Iterator[Stack]:
    try:
        yield local_stack.start(directory, brokers, None, os.getpid(), SHORT_SESSIONS)
    finally:
        local_stack.stop(directory)
