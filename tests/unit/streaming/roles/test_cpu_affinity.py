"""A worker's threads on one core, or wherever the system likes."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.streaming.cpu_affinity import take_turns

PYTHONS_OWN_SECONDS = 0.005
chooses_cores = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system lets no process choose its cores"
)


@pytest.fixture(autouse=True)
def _interval_as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(PYTHONS_OWN_SECONDS)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def allowed() -> Iterator[set[int]]:
    """The cores of this process, which it has again afterwards."""
    found = os.sched_getaffinity(0)
    yield found
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), found)


@chooses_cores
def test_threads_that_run_and_those_that_begin_later_are_on_the_same_core(allowed: set[int]) -> None:
    core = max(allowed)

    with ThreadPoolExecutor(1) as before, ThreadPoolExecutor(1) as after:
        assert before.submit(os.sched_getaffinity, 0).result() == allowed
        take_turns(core)
        found = [pool.submit(os.sched_getaffinity, 0).result() for pool in (before, after)]

    assert found == [{core}, {core}]
    assert sys.getswitchinterval() == PYTHONS_OWN_SECONDS


@chooses_cores
def test_without_a_core_it_keeps_all_that_it_may_use(allowed: set[int]) -> None:
    take_turns(-1)

    assert os.sched_getaffinity(0) == allowed


@chooses_cores
def test_a_core_that_this_process_may_not_use_is_refused_by_name(allowed: set[int]) -> None:
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_CORE=4095: this process may run on"):
        take_turns(4095)

    assert os.sched_getaffinity(0) == allowed


def test_on_several_cores_a_thread_that_waits_gets_its_turn_sooner_than_pythons_own() -> None:
    take_turns(-1)

    assert sys.getswitchinterval() == pytest.approx(PYTHONS_OWN_SECONDS / 10)


def test_a_system_that_gives_no_core_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(
        ConfigurationError, match=r"FRAUDSTREAM_WORKER_CORE is set, which only Linux knows\. Unset it"
    ):
        take_turns(0)
