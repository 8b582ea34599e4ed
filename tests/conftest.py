"""Options and fixtures of all tests."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from app.local import ports
from app.local.java import runtime
from tests.support.bundle import write_models
from tests.support.processes.kept_alive import kept_alive
from tests.support.together import stays_together

# The first use of the fold loads or compiles its machine code, so that one example may take seconds.
settings.register_profile("full", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=30)
settings.load_profile("full")

MOST_WORKERS = 16


def pytest_configure() -> None:
    """Start Java servers cheaply, let Ctrl-C reach child processes, and give each xdist worker its own part of the
    ports, since a port is free until its server listens.
    """
    # A shell without job control starts background jobs with SIGINT ignored, and children would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Servers of tests live for seconds: without the optimizing compiler they start with less than half of the CPU time.
    runtime.JVM_OPTIONS += ("-XX:TieredStopAtLevel=1",)
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    if name:
        size = (ports.HIGHEST - ports.LOWEST) // MOST_WORKERS
        ports.LOWEST += int(name.removeprefix("gw")) % MOST_WORKERS * size
        ports.HIGHEST = ports.LOWEST + size


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with integration tests, which mostly wait, and with those that keep one process busy for long: tests that
    compute fill the time that is left.
    """
    items.sort(
        key=lambda item: (item.get_closest_marker("integration") is None, not stays_together(item.nodeid))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute tests one by one, but those of a module that `stays_together` to one process."""
    from tests.support.scheduling import ByModule  # noqa: PLC0415  # of a parallel run only

    return ByModule(config, log)


@pytest.fixture(scope="session", autouse=True)
def _no_fail_stop_ends_the_run() -> Iterator[None]:
    with kept_alive():
        yield


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models that no change to the project's models affects."""
    directory = tmp_path_factory.mktemp("models")
    write_models(directory)
    return directory
