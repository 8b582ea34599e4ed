"""A worker's threads on one core, or wherever the system likes."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from app.errors import ConfigurationError
from app.streaming.cpu_affinity import pin_threads

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
    """The cores of this process, restored after the test."""
    found = os.sched_getaffinity(0)
    yield found
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # a thread that an earlier test left has ended meanwhile
            os.sched_setaffinity(int(thread.name), found)


@chooses_cores
def test_running_and_later_threads_are_pinned_to_the_core(allowed: set[int]) -> None:
    core = max(allowed)

    with ThreadPoolExecutor(1) as before, ThreadPoolExecutor(1) as after:
        assert before.submit(os.sched_getaffinity, 0).result() == allowed
        pin_threads(core)
        found = [pool.submit(os.sched_getaffinity, 0).result() for pool in (before, after)]

    assert found == [{core}, {core}]
    assert sys.getswitchinterval() == PYTHONS_OWN_SECONDS


@chooses_cores
def test_without_a_core_the_affinity_is_unchanged(allowed: set[int]) -> None:
    pin_threads(-1)

    assert os.sched_getaffinity(0) == allowed


@chooses_cores
def test_a_core_outside_the_affinity_is_refused_by_name(allowed: set[int]) -> None:
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_CORE=4095: this process may run on"):
        pin_threads(4095)

    assert os.sched_getaffinity(0) == allowed


def test_on_several_cores_the_switch_interval_is_shorter_than_the_default() -> None:
    pin_threads(-1)

    assert sys.getswitchinterval() == pytest.approx(PYTHONS_OWN_SECONDS / 10)


def test_a_core_is_refused_on_a_system_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(
        ConfigurationError, match=r"FRAUDSTREAM_WORKER_CORE is set, which only Linux supports\. Unset it"
    ):
        pin_threads(0)
