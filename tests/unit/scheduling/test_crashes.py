"""A test that ends its process fails by its name, and every other test runs once."""

import os
import subprocess
import sys

import pytest

from tests.support.paths import REPOSITORY

CRASHING = "tests/unit/scheduling/crashing.py"


@pytest.mark.parametrize("at", [0, 10, 11])
def test_a_crash_fails_one_test_and_loses_none(at: int) -> None:
    without_this_run = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", CRASHING]

    done = subprocess.run(  # noqa: S603  # our own list
        [*command, "--no-loadscope-reorder"],
        cwd=REPOSITORY,
        env=without_this_run | {"CRASHES_AT": str(at)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert f"crashed while running '{CRASHING}::test_one[{at}]'" in done.stdout
    assert "1 failed, 11 passed" in done.stdout
