"""The supervisor and its processes; ``sleep`` replaces the servers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil
import pytest

from app.local import stack as stack_module
from app.local import state
from app.local.processes import Process, end, identify, is_alive, wait_gone
from app.local.state import Part, Stack

SLEEP = (shutil.which("sleep") or "", "600")
ENOUGH_SECONDS = 15
POLL_SECONDS = 0.02
INTERRUPTED_START = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(1)"
"""`subprocess.run` kills its child a quarter of a second after Ctrl-C; this one lasts longer."""
START = """
import os, sys
from pathlib import Path
from app.local.stack import _supervise

os.environ["PYTHONPATH"] = sys.argv[1]
_supervise(Path(sys.argv[1]), None)
"""
Result = TypeVar("Result")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A recorded stack of two sleepers, not started yet."""
    parts = tuple(
        Part(name=name, port=0, log=tmp_path / f"{name}.log", command=SLEEP) for name in ("redis", "kafka-1")
    )
    state.save(Stack(directory=tmp_path, cluster_id="", bootstrap_servers="", redis_url="", parts=parts))
    yield tmp_path
    if left := state.load(tmp_path):
        end(left.processes[::-1], ENOUGH_SECONDS)  # the supervisor first: it might start parts again


def supervise(directory: Path, *options: str) -> Stack:
    """Start a supervisor; return the stack when all its parts run."""
    command = (sys.executable, "-m", "app.local.supervisor", str(directory), *options)
    subprocess.run(command, check=True)  # noqa: S603  # our own words
    return settled(directory)


def until(found: Callable[[], Result | None]) -> Result:
    """Ask until there is an answer."""
    deadline = time.monotonic() + ENOUGH_SECONDS
    while (result := found()) is None:
        assert time.monotonic() < deadline, "a part does not run"
        time.sleep(POLL_SECONDS)
    return result


def settled(directory: Path) -> Stack:
    """The stack when all its parts run."""

    def running() -> Stack | None:
        stack = state.load(directory)
        return None if stack is None or stack.dead else stack

    return until(running)


def supervisor_pid(stack: Stack) -> int:
    assert stack.supervisor is not None
    return stack.supervisor.pid


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(SLEEP)  # noqa: S603  # our own words


def test_a_stopped_supervisor_stops_its_parts_and_removes_the_record(directory: Path) -> None:
    stack = supervise(directory)
    os.kill(supervisor_pid(stack), signal.SIGTERM)

    assert wait_gone(stack.processes, ENOUGH_SECONDS) == []
    assert state.load(directory) is None


def test_parts_are_stopped_in_order_though_the_record_was_deleted(directory: Path) -> None:
    says_that_it_ends = (
        "import pathlib, signal, sys; signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path('ended').touch(), sys.exit())); "
        "pathlib.Path('ready').touch(); signal.pause()"
    )
    part = Part(
        name="redis", port=0, log=directory / "log", command=(sys.executable, "-c", says_that_it_ends)
    )
    recorded = state.load(directory)
    assert recorded is not None
    state.save(msgspec.structs.replace(recorded, parts=(part,)))
    stack = supervise(directory)
    until(lambda: (directory / "ready").exists() or None)
    (directory / state.FILE).unlink()

    os.kill(supervisor_pid(stack), signal.SIGTERM)

    assert wait_gone(stack.processes, ENOUGH_SECONDS) == []
    assert (directory / "ended").exists(), "it was killed"


def test_ctrl_c_while_the_supervisor_starts_leaves_none_that_nobody_knows(directory: Path) -> None:
    """On a slow machine the supervisor may still import its modules; here it sends the signal itself before it does.

    The signal goes to a process of its own: in that of the tests it could arrive behind this one, and would end the run.
    """
    (directory / stack_module.LOGS).mkdir()
    (directory / "sitecustomize.py").write_text(INTERRUPTED_START)
    starting = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", START, str(directory)], capture_output=True, text=True, check=False
    )

    assert starting.returncode == -signal.SIGINT, starting.stderr
    assert is_alive(settled(directory).processes[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a child at its parent's death")
def test_parts_die_with_a_killed_supervisor(directory: Path) -> None:
    stack = supervise(directory)
    os.kill(supervisor_pid(stack), signal.SIGKILL)

    assert wait_gone(stack.processes, ENOUGH_SECONDS) == []


def test_the_stack_stops_when_the_lifeline_process_has_ended(directory: Path) -> None:
    with sleeper() as lifeline:
        stack = supervise(directory, "--while", str(lifeline.pid))
        lifeline.kill()

    assert wait_gone(stack.processes, ENOUGH_SECONDS) == []


def test_sighup_restarts_only_the_parts_that_have_died(directory: Path) -> None:
    redis, kafka = supervise(directory).parts
    os.kill(kafka.pid, signal.SIGKILL)
    assert wait_gone([kafka.process] if kafka.process else [], ENOUGH_SECONDS) == []

    os.kill(supervisor_pid(state.load(directory) or supervise(directory)), signal.SIGHUP)

    again = settled(directory)
    assert again.parts[0] == redis
    assert again.parts[1].pid not in {0, kafka.pid}


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    ignores_sigterm = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", ignores_sigterm], stdout=subprocess.PIPE) as child:  # noqa: S603  # our own words
        assert child.stdout is not None
        child.stdout.readline()
        process = identify(child.pid)
        assert process is not None
        end([process], grace_seconds=0.2)

        assert not is_alive(process)
    assert child.returncode == -signal.SIGKILL


def test_a_reused_process_id_is_not_signalled() -> None:
    with sleeper() as stranger:
        recorded = Process(stranger.pid, psutil.Process(stranger.pid).create_time() - 3600)
        end([recorded], grace_seconds=0.1)

        assert not is_alive(recorded)
        assert stranger.poll() is None
        stranger.kill()
