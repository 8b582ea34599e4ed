"""A worker's threads on one core, or wherever the system likes."""

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import ConfigurationError
from app.streaming.one_core import ANY_CORE, take_turns

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process choose its cores")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    allowed, interval = os.sched_getaffinity(0), sys.getswitchinterval()
    yield
    os.sched_setaffinity(0, allowed)
    sys.setswitchinterval(interval)


def test_threads_that_begin_later_run_on_the_same_core() -> None:
    core = max(os.sched_getaffinity(0))

    take_turns(core)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(os.sched_getaffinity, 0).result() == {core} == os.sched_getaffinity(0)


def test_on_several_cores_a_thread_that_waits_gets_its_turn_sooner() -> None:
    allowed = os.sched_getaffinity(0)

    take_turns(ANY_CORE)

    assert sys.getswitchinterval() == pytest.approx(0.0005)
    assert os.sched_getaffinity(0) == allowed


def test_a_core_that_this_process_may_not_use_is_refused_by_name() -> None:
    allowed = os.sched_getaffinity(0)

    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_WORKER_CORE=4095: this process may run on"):
        take_turns(4095)

    assert os.sched_getaffinity(0) == allowed
