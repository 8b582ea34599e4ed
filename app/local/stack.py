"""The local stack: start, stop and look at it. One directory is one stack."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import ConfigurationError, StackError
from app.local import cluster, kafka, ports, redis_server, registry_server, state
from app.local.cluster import Cluster
from app.local.extras import EXTRAS
from app.local.java import jars
from app.local.kafka import PLAIN, Listeners
from app.local.processes import Process, end, is_alive, wait_gone
from app.local.readiness import wait_ready
from app.local.state import BROKER_PREFIX, Stack

SUPERVISOR_SECONDS = 15
STOP_SECONDS = 30
"""Longer than the supervisor's own grace for its children."""
KILL_GRACE_SECONDS = 10
POLL_SECONDS = 0.05
LOGS = "logs"


def start(
    directory: Path,
    brokers: int | None = None,
    port: int | None = None,
    lifeline_pid: int | None = None,
    listeners: Listeners = PLAIN,
    also: Collection[str] = (),
) -> Stack:
    """Bring the stack up and return when it answers; the running one if it is up already.

    Blocks, and runs an event loop of its own: from async code call it in a thread. With ``lifeline_pid``
    everything stops when that process has gone, however it went. ``also``: names of EXTRAS.
    """
    with _alone(directory):
        running = state.load(directory)
        if running and running.supervised:
            return _as_asked(running, brokers, also)
        _stop(directory)  # what a killed supervisor may have left behind
        planned = cluster.plan(directory, brokers, port, also)
        return _start(directory.resolve(), planned, lifeline_pid, listeners, also)


def stop(directory: Path) -> bool:
    """Stop everything; False if nothing was up. The brokers' data stay."""
    if not directory.exists():
        return False
    with _alone(directory):
        return _stop(directory)


def status(directory: Path) -> Stack | None:
    """The stack as recorded, its parts asked whether they live; None if it is down."""
    return state.load(directory)


def restart_broker(directory: Path, broker_id: int) -> Stack:
    """Stop one broker, unless it is dead already, and start it on its data; return when all answer.

    Other parts that have died are started again, too.
    """
    return _start_again(directory, f"{BROKER_PREFIX}{broker_id}")


def start_dead(directory: Path) -> Stack:
    """Start again every part that has died, on its data; return when all answer."""
    return _start_again(directory)


def _start_again(directory: Path, ended: str = "") -> Stack:
    """``ended`` is the part to stop first."""
    with _alone(directory):
        stack = state.load(directory)
        if stack is None or stack.supervisor is None or not stack.supervised:
            raise StackError(f"no stack is up in {directory}. Start it with `fraudstream stack up`.")
        end([part.process for part in stack.parts if part.name == ended and part.process], STOP_SECONDS)
        os.kill(stack.supervisor.pid, signal.SIGHUP)
        return _ready(directory, replaced=tuple(part.process for part in stack.dead))


def _start(
    directory: Path, planned: Cluster, lifeline_pid: int | None, listeners: Listeners, also: Collection[str]
) -> Stack:
    (directory / LOGS).mkdir(exist_ok=True)
    class_path = jars.ensure(jars.cache_directory())
    registry_port = planned.extra_ports[registry_server.NAME] if registry_server.NAME in also else 0
    stack = Stack(
        directory=directory,
        cluster_id=planned.id,
        bootstrap_servers=planned.bootstrap_servers,
        redis_url=f"redis://{ports.HOST}:{planned.redis_port}/0",
        parts=(
            redis_server.part(directory, planned.redis_port),
            *kafka.parts(directory, planned, class_path, listeners),
            *(EXTRAS[name].part(directory, planned) for name in also),
        ),
        registry_url=registry_server.url(registry_port) if registry_port else "",
    )
    state.save(stack)
    try:
        _supervise(directory, lifeline_pid)
        return _ready(directory)
    except BaseException:  # Ctrl-C as well: half a stack is of no use to anybody
        _stop(directory)
        raise


def _supervise(directory: Path, lifeline_pid: int | None) -> None:
    lifeline = ("--while", str(lifeline_pid)) if lifeline_pid else ()
    command = (sys.executable, "-m", "app.local.supervisor", str(directory), *lifeline)
    log = directory / LOGS / "supervisor.log"
    with log.open("ab") as output:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603  # the command is our own list of words
    if done.returncode:
        raise StackError(f"the supervisor did not start. See {log}.")


def _ready(directory: Path, replaced: tuple[Process | None, ...] = (None,)) -> Stack:
    """Wait until the supervisor has put new processes in the place of ``replaced``, and these answer."""
    deadline = time.monotonic() + SUPERVISOR_SECONDS
    while time.monotonic() < deadline:
        stack = state.load(directory)
        if stack and not any(part.process in replaced for part in stack.parts):
            wait_ready(stack)
            return stack
        time.sleep(POLL_SECONDS)
    raise StackError(f"the supervisor started nothing. See {directory / LOGS / 'supervisor.log'}.")


def _as_asked(stack: Stack, brokers: int | None, also: Collection[str]) -> Stack:
    if brokers not in {None, len(stack.brokers)}:
        raise ConfigurationError(
            f"the stack is up with {len(stack.brokers)} broker(s), not {brokers}. Stop it first."
        )
    for name in set(also) - {part.name for part in stack.parts}:
        raise ConfigurationError(f"the stack is up without {name}. Stop it first.")
    for part in stack.dead:
        raise StackError(f"{part.name} has died, see {part.log}. `fraudstream stack down`, then `up` again.")
    return stack


def _stop(directory: Path) -> bool:
    stack = state.load(directory)
    if stack is None:
        return False
    if stack.supervisor and is_alive(stack.supervisor):
        os.kill(stack.supervisor.pid, signal.SIGTERM)
        wait_gone([stack.supervisor], STOP_SECONDS)
    end(stack.processes, KILL_GRACE_SECONDS)
    (directory / state.FILE).unlink(missing_ok=True)
    return True


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One `up` or `down` at a time on a directory; a second one waits and finds the first one's result."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
