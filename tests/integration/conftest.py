"""Real servers. They die with the test run, however it ends."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.local import stack as local_stack
from app.local.state import Stack
from tests.support.deployment import Deployment


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One broker and one Redis for all tests; each test takes topic and group names of its own."""
    yield from _running(tmp_path_factory.mktemp("stack"), brokers=1)


@pytest.fixture
def stack3(tmp_path: Path) -> Iterator[Stack]:
    """Three brokers for one test, which may kill them."""
    yield from _running(tmp_path / "stack3", brokers=3)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A place for a stack that the test starts itself; nothing there outlives the test."""
    yield tmp_path / "stack"
    local_stack.stop(tmp_path / "stack")


@pytest.fixture
async def deployment(stack: Stack, models: Path, tmp_path: Path) -> AsyncIterator[Deployment]:
    """Topics and a consumer group of its own; its workers die with the test, their logs show where it failed."""
    deployed = Deployment(stack, tmp_path, models)
    await deployed.ensure_topics()
    yield deployed
    deployed.clear_up()
    print(deployed.tails())  # noqa: T201  # pytest shows it beneath a failure and nowhere else


def _running(directory: Path, brokers: int) -> Iterator[Stack]:
    try:
        yield local_stack.start(directory, brokers, lifeline_pid=os.getpid())
    finally:
        local_stack.stop(directory)
