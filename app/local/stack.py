"""Starts, stops and inspects the local stack. One directory is one stack."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.adapters.disk import private
from app.errors import ConfigurationError, PortTaken, StackError
from app.local import cluster, kafka, ports, postgres, redis_server, registry_server, state
from app.local.cluster import Cluster
from app.local.extras import EXTRAS
from app.local.java import jars
from app.local.kafka import PLAIN, Listeners
from app.local.processes import Process, end, is_alive, wait_gone
from app.local.readiness import wait_ready
from app.local.state import BROKER_PREFIX, Stack

SUPERVISOR_SECONDS = 15
STOP_SECONDS = 30
"""Longer than the grace period that the supervisor gives its children."""
KILL_GRACE_SECONDS = 10
POLL_SECONDS = 0.05
LOGS = "logs"
STARTS = 3
"""Attempts with other ports."""


def start(
    directory: Path,
    brokers: int | None = None,
    port: int | None = None,
    lifeline_pid: int | None = None,
    listeners: Listeners = PLAIN,
    also: Collection[str] = (),
) -> Stack:
    """Start the stack and return when it is ready; return the running one if it is up already.

    Blocks and runs an event loop of its own: call it in a thread from async code. With ``lifeline_pid`` the stack stops when
    that process ends, killed or not. ``also`` holds names of EXTRAS. Raises ConfigurationError when the running
    stack has other parts, StackError when a part does not start.
    """
    with _alone(directory):
        running = state.load(directory)
        if running and running.supervised:
            return _as_asked(running, brokers, also)
        _stop(directory)  # parts that a killed supervisor may have left running

        def plan() -> Cluster:
            return cluster.plan(directory, brokers, port, also)

        def start_planned(planned: Cluster) -> Stack:
            return _start(directory.resolve(), planned, lifeline_pid, listeners, also)

        return _retried(plan, start_planned, STARTS)


def _retried(plan: Callable[[], Cluster], start_planned: Callable[[Cluster], Stack], attempts: int) -> Stack:
    """Plan other ports and start again when another program took one between its choice and the start."""
    try:
        return start_planned(plan())
    except PortTaken:
        if attempts == 1:
            raise
    return _retried(plan, start_planned, attempts - 1)


def stop(directory: Path) -> bool:
    """Stop the stack; return False if nothing was up. The data of the brokers is kept."""
    if not directory.exists():
        return False
    with _alone(directory):
        return _stop(directory)


def status(directory: Path) -> Stack | None:
    """Return the recorded stack, whose parts report whether they run; None if it is down."""
    return state.load(directory)


def restart_broker(directory: Path, broker_id: int) -> Stack:
    """Stop a broker if it runs, start it again on its data, and return when all parts are ready.

    Other parts that have died are started again, too.
    """
    return _start_again(directory, f"{BROKER_PREFIX}{broker_id}")


def start_dead(directory: Path) -> Stack:
    """Start every part that has died on its data, and return when all parts are ready."""
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
    parts = (
        redis_server.part(directory, planned.redis_port),
        *kafka.parts(directory, planned, class_path, listeners),
        *(EXTRAS[name].part(directory, planned) for name in EXTRAS if name in also),
    )
    stack = Stack(
        directory=directory,
        cluster_id=planned.id,
        bootstrap_servers=planned.bootstrap_servers,
        redis_url=f"redis://{ports.HOST}:{planned.redis_port}/0",
        redis_password_file=redis_server.password_file(directory),
        parts=parts,
        registry_url=registry_server.url(registry_port) if registry_port else "",
        postgres_password=postgres.password(directory) if postgres.NAME in also else "",
    )
    state.save(stack)
    try:
        _supervise(directory, lifeline_pid)
        return _ready(directory)
    except BaseException:  # Ctrl-C too: an incomplete stack must not stay up
        _stop(directory)
        raise


def _supervise(directory: Path, lifeline_pid: int | None) -> None:
    lifeline = ("--while", str(lifeline_pid)) if lifeline_pid else ()
    command = (sys.executable, "-P", "-m", "app.local.supervisor", str(directory), *lifeline)
    log = directory / LOGS / "supervisor.log"
    with log.open("ab") as output:
        started = subprocess.Popen(  # noqa: S603  # our own list of arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            code = started.wait()
        except BaseException:
            started.wait(
                SUPERVISOR_SECONDS
            )  # only then the record names the supervisor, which can be stopped
            raise
    if code:
        raise StackError(f"the supervisor did not start. See {log}.")


def _ready(directory: Path, replaced: tuple[Process | None, ...] = (None,)) -> Stack:
    """Wait until the supervisor has replaced the processes ``replaced`` by new ones, and these are ready."""
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
    """Hold the lock of the directory: a second `up` or `down` waits and then sees the result of the first."""
    private.make_folder(directory)
    directory.chmod(private.FOLDER_MODE)  # stacks of earlier releases were open to other users
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
