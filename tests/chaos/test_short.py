"""The ten most informative scenarios, shortened, and two mutants that they must find. `make chaos` runs all in full."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import scenarios
from tests.chaos.cluster import Cluster
from tests.chaos.scenario import SCENARIOS, Result, carry_out

assert scenarios.__all__  # the import registers all scenarios

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 11
SCALE = 0.3
SCENARIO_NAMES = (
    "kill_loses_disk",
    "ten_kills",
    "rolling_restart",
    "zombie",
    "leader_killed",
    "alerts_refused",
    "store_damaged",
    "garbage",
    "sent_twice",
    "error_in_scoring",
)
FOUND_BY = {"no_guard": "ten_kills", "errors_acknowledged": "alerts_refused"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that is repaired after each scenario."""
    started = Cluster(tmp_path_factory.mktemp("chaos") / "cluster")
    try:
        yield started
    finally:
        started.stop()


@pytest.mark.parametrize("name", SCENARIO_NAMES)
async def test_a_scenario_shows_its_declared_behaviour(
    name: str, cluster: Cluster, models: Path, tmp_path: Path
) -> None:
    result = await carry_out(SCENARIOS[name], cluster, tmp_path, models, seed=SEED, scale=SCALE)

    assert result.passed, described(result)


@pytest.mark.parametrize("mutant", FOUND_BY)
async def test_every_mutant_is_found(mutant: str, cluster: Cluster, models: Path, tmp_path: Path) -> None:
    chosen, app = SCENARIOS[FOUND_BY[mutant]], f"tests.chaos.mutants.{mutant}"
    result = await carry_out(chosen, cluster, tmp_path, models, seed=SEED, scale=SCALE, app=app)

    assert not result.clean, described(result)


def described(result: Result) -> str:
    lines = [f"{moment.seconds:8.2f} {moment.what}" for moment in result.timeline]
    return "\n".join([repr(result.figures), *result.broken, *lines])
