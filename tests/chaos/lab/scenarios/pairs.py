"""Two faults at once: twenty pairs, drawn by their number."""

import asyncio
from random import Random

from tests.chaos.lab.faults.fault import FAULTS, Fault
from tests.chaos.lab.lab_run import LabRun
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.lab.scenarios.single import QUIET_SECONDS
from tests.chaos.lab.scenarios.under_traffic import under_traffic
from tests.chaos.scenario import Play, Scenario

PAIRS = 20


def drawn(number: int) -> tuple[Fault, Fault]:
    """Return the faults of a pair, of which the first begins first."""
    first, second = Random(number).sample(sorted(FAULTS), 2)
    return FAULTS[first], FAULTS[second]


def at_once(first: Fault, second: Fault) -> Play[LabRun]:
    """Return the scenario in which the second fault begins and ends while the first one lasts."""

    async def play(run: LabRun) -> None:
        seconds = second.seconds + 4 * QUIET_SECONDS
        async with under_traffic(run, first.needs | second.needs, seconds):
            async with first.begin(run):
                await asyncio.sleep(run.random.uniform(0, QUIET_SECONDS))
                async with second.begin(run):
                    await asyncio.sleep(second.seconds)
                await asyncio.sleep(run.random.uniform(0, QUIET_SECONDS))
            await run.recovered()

    return play


for at in range(1, PAIRS + 1):
    one, other = drawn(at)
    name = f"pair_{at:02}"
    LAB_SCENARIOS[name] = Scenario(
        name, f"survives: {one.name} and {other.name} at once", at_once(one, other)
    )
