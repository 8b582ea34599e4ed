"""Each fault by itself, several times, each time at another moment."""

import asyncio

from tests.chaos.lab import faults
from tests.chaos.lab.faults.fault import FAULTS, Fault
from tests.chaos.lab.lab_run import LabRun
from tests.chaos.lab.lab_scenario import LAB_SCENARIOS
from tests.chaos.lab.scenarios.under_traffic import under_traffic
from tests.chaos.scenario import Play, Scenario

TURNS = 2
QUIET_SECONDS = 4.0
"""Longest time before a fault."""

assert faults.__all__  # the import registers all faults


def repeated(fault: Fault) -> Play[LabRun]:
    """Return the scenario of one fault."""

    async def play(run: LabRun) -> None:
        turns = max(1, round(TURNS * run.scale))
        async with under_traffic(run, fault.needs, turns * (fault.seconds + 3 * QUIET_SECONDS)):
            for _ in range(turns):
                await asyncio.sleep(run.random.uniform(0, QUIET_SECONDS))
                async with fault.begin(run):
                    await asyncio.sleep(fault.seconds)
                await run.recovered()
            if fault.says:
                said = sum(worker.lines_with(fault.says) for worker in run.workers)
                run.expect(said, f"a log says {fault.says}")

    return play


LAB_SCENARIOS.update(
    {fault.name: Scenario(fault.name, fault.declared, repeated(fault)) for fault in FAULTS.values()}
)
