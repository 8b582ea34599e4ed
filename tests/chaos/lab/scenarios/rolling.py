"""Rolling restarts over bad links."""

import asyncio

from tests.chaos.lab.faults.links import flap
from tests.chaos.lab.lab_run import WORKERS, LabRun
from tests.chaos.lab.lab_scenario import lab_scenario


@lab_scenario("survives: all workers are restarted in turn while their links go down and up")
async def rolling_restart_on_flapping_links(run: LabRun) -> None:
    workers = await run.start_workers(WORKERS)
    async with run.traffic(count=int(9_000 * run.scale), rate=150):
        await run.deployment.decided(200)
        flapping = [asyncio.create_task(flap(run, run.host(worker))) for worker in workers]
        run.note("the links of all workers flap", fault=True)
        for worker in workers:
            await run.stop(worker)
            await run.restart(worker)
            await asyncio.sleep(run.seconds(5))
        for task in flapping:
            task.cancel()
        await asyncio.gather(*flapping, return_exceptions=True)
        run.note("links are stable")
        await run.recovered()
