"""Thousands of schedules in which anything may die between any two steps; and mutants that some of them must find."""

from collections import Counter

import pytest

from tests.simulation import mutants
from tests.simulation.schedule import play
from tests.simulation.world import Broken

SCHEDULES = 3_000
FOUND_WITHIN = 2_000
MUTANTS = {mutant.__name__: mutant for mutant in mutants.ALL}


async def test_nothing_is_lost_or_counted_twice_in_any_schedule() -> None:
    deaths: Counter[int] = Counter()
    for seed in range(SCHEDULES):
        played = await play(seed)
        deaths[played.deaths + played.zombies] += 1

    assert deaths.total() - deaths[0] > SCHEDULES // 2


async def play_all(schedules: int) -> None:
    for seed in range(schedules):
        await play(seed)


async def test_a_seed_is_a_schedule() -> None:
    assert await play(17) == await play(17)


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_mutant_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch.setattr)

    with pytest.raises(Broken):
        await play_all(FOUND_WITHIN)
