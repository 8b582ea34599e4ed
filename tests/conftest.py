"""Options and fixtures of all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from app.local import ports
from tests.support.bundle import write_models

# The first use of the fold loads or compiles its machine code, so that one example may take seconds.
settings.register_profile("full", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=30)
settings.load_profile("full")

MOST_WORKERS = 16
_WAITS, _COMPUTES = 0, 1


def pytest_configure() -> None:
    """Give each xdist worker its own part of the ports, since a port is free until its server listens."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    if name:
        size = (ports.HIGHEST - ports.LOWEST) // MOST_WORKERS
        ports.LOWEST += int(name.removeprefix("gw")) % MOST_WORKERS * size
        ports.HIGHEST = ports.LOWEST + size


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module in one xdist worker where they share a fixture. Begin with integration tests, which
    mostly wait: tests that compute fill the time that is left.
    """
    for item in items:
        if isinstance(item, pytest.Function) and _shares_fixture(item):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
    items.sort(key=lambda item: _WAITS if item.get_closest_marker("integration") else _COMPUTES)


def _shares_fixture(item: pytest.Function) -> bool:
    used = item._fixtureinfo.name2fixturedefs.values()
    return any(definitions[-1].scope == "module" for definitions in used)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models that no change to the project's models affects."""
    directory = tmp_path_factory.mktemp("models")
    write_models(directory)
    return directory
