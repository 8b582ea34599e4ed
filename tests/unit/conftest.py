"""Fixtures of several unit test modules."""

import shutil
from pathlib import Path

import pytest

from tests.support.bundle import write_bundle, write_models


@pytest.fixture(scope="session")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("written")
    write_models(directory)
    write_bundle(directory, "2", trees=20)
    write_bundle(directory, "3", trees=5, review=0.0)
    return directory


@pytest.fixture
def trial_models(_written: Path, tmp_path: Path) -> Path:
    """A copy of the models: ``large-amounts/1`` is the champion, 2 scores differently, 3 alerts on everything."""
    return shutil.copytree(_written, tmp_path / "models")
