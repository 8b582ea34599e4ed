"""What all tests have in common."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.bundle import write_models

# The first use of the fold loads or makes its machine code; no test is about time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models that no other work on the models changes."""
    directory = tmp_path_factory.mktemp("models")
    write_models(directory)
    return directory
