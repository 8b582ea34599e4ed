"""Thousands of schedules with faults between any two steps; each mutant must be found by one of them."""

from collections import Counter

import pytest

from tests.simulation import mutants
from tests.simulation.schedule import play
from tests.simulation.world import Broken

SCHEDULES, SHORT_SCHEDULES = 3_000, 600
FOUND_WITHIN = 2_000
MUTANTS = {mutant.__name__: mutant for mutant in mutants.ALL}


@pytest.mark.parametrize(
    "seeds",
    [range(SHORT_SCHEDULES), pytest.param(range(SHORT_SCHEDULES, SCHEDULES), marks=pytest.mark.slow)],
    ids=["short", "long"],
)
async def test_nothing_is_lost_or_counted_twice_in_any_schedule(seeds: range) -> None:
    deaths: Counter[int] = Counter()
    for seed in seeds:
        played = await play(seed)
        deaths[played.deaths + played.zombies] += 1

    assert deaths.total() - deaths[0] > len(seeds) // 2


async def play_all(schedules: int) -> None:
    for seed in range(schedules):
        await play(seed)


async def test_a_seed_determines_the_schedule() -> None:
    assert await play(17) == await play(17)


@pytest.mark.parametrize("name", MUTANTS)
async def test_every_mutant_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch.setattr)

    with pytest.raises(Broken):
        await play_all(FOUND_WITHIN)
