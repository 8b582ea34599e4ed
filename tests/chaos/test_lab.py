"""The lab between machines: a late write is refused, and a worker without the fence loses transactions by it."""

from pathlib import Path

import pytest

from tests.chaos.lab import isolation
from tests.chaos.scenario import Result
from tests.chaos.test_short import described

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

SEED = 1


@pytest.fixture(scope="module", autouse=True)
def _possible() -> None:
    if reason := isolation.missing():
        pytest.skip(reason)


def play(name: str, directory: Path, app: str = "app.worker") -> Result:
    (result,) = isolation.play([isolation.Job(name, SEED, app)], 1.0, directory)
    return result


def test_nothing_is_lost_by_a_late_write(tmp_path: Path) -> None:
    result = play("late_changelog_write", tmp_path)

    assert result.passed, described(result)


def test_without_the_fence_a_late_write_loses_transactions(tmp_path: Path) -> None:
    result = play("late_changelog_write", tmp_path, "tests.chaos.mutants.no_broker_fence")

    assert result.figures.late_writes > 0, described(result)
    assert result.figures.lost > 0, described(result)
