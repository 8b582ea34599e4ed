"""Play many schedules in sequence."""

import asyncio
from typing import NamedTuple

from tests.simulation.schedule import play


class Counts(NamedTuple):
    """Totals over several schedules."""

    steps: int
    deaths: int
    zombies: int


def play_all(seeds: range) -> Counts:
    """Play one schedule per seed and return the totals. Raises Broken."""
    return asyncio.run(_play_all(seeds))


async def _play_all(seeds: range) -> Counts:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # killed workers leave unfinished tasks
    played = [await play(seed) for seed in seeds]
    return Counts(
        sum(len(each.steps) for each in played),
        sum(each.deaths for each in played),
        sum(each.zombies for each in played),
    )
