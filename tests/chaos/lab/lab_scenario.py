"""The scenarios of the lab by name."""

from collections.abc import Callable

from tests.chaos.lab.lab_run import LabRun
from tests.chaos.scenario import Play, Scenario

LAB_SCENARIOS: dict[str, Scenario[LabRun]] = {}


def lab_scenario(declared: str) -> Callable[[Play[LabRun]], Play[LabRun]]:
    """Register a scenario under its function's name; ``declared`` states the behaviour that users may rely on."""

    def register(play: Play[LabRun]) -> Play[LabRun]:
        LAB_SCENARIOS[play.__name__] = Scenario(play.__name__, declared, play)
        return play

    return register
