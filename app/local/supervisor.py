"""``python -m app.local.supervisor DIR [--while PID]``: starts the parts of the stack in DIR and stops them again.

It runs in a session of its own, so that Ctrl-C on the console does not reach it. SIGTERM stops everything; SIGHUP starts
the parts that have died. With ``--while`` it also stops when that process ends. When it is killed itself, the kernel kills
the parts (see death_signal.py).
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from app.local import death_signal, state
from app.local.processes import Process, end, identify, is_alive
from app.local.state import Part, Stack

POLL_SECONDS = 0.2
GRACE_SECONDS = 5.0
"""Brokers close their logs within two seconds; the last one of a quorum would then wait minutes for the others."""


def main() -> None:
    """Detach from the caller, then run until a signal or the end of the ``--while`` process."""
    arguments = _arguments()
    lifeline = identify(arguments.lifeline) if arguments.lifeline else None
    if arguments.lifeline and lifeline is None:
        sys.exit(f"process {arguments.lifeline} does not exist")
    _detach(arguments.directory)
    Supervisor(arguments.directory).run(lifeline)


def _detach(directory: Path) -> None:
    """Continue as a child of init: the first process records the second and exits, so the caller reaps no child later."""
    first = os.getpid()
    if child := os.fork():
        state.save(msgspec.structs.replace(_recorded(directory), supervisor=identify(child)))
        os._exit(0)
    os.setsid()
    while (
        os.getppid() == first
    ):  # until the first process has written the file: from then on only this one writes it
        time.sleep(POLL_SECONDS / 10)


class Supervisor:
    """Starts, watches and stops the parts as its child processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._processes: list[Process] = []
        self._signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._signals.append(received))

    def run(self, lifeline: Process | None) -> None:
        """Run until SIGTERM or SIGINT, or until the lifeline process ends; then stop all parts."""
        self._start_missing()
        while not self._stop_requested() and (lifeline is None or is_alive(lifeline)):
            time.sleep(POLL_SECONDS)
            self._reap()
        self._stop()

    def _stop_requested(self) -> bool:
        while self._signals:
            if self._signals.pop(0) != signal.SIGHUP:
                return True
            self._start_missing()
        return False

    def _start_missing(self) -> None:
        stack = _recorded(self._directory)
        parts = tuple(part if part.alive else self._start(part) for part in stack.parts)
        state.save(msgspec.structs.replace(stack, parts=parts))

    def _start(self, part: Part) -> Part:
        with part.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603  # our own list of arguments
                [sys.executable, "-I", "-S", death_signal.__file__, str(os.getpid()), *part.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=part.log.parent,
                env=os.environ | part.environment,
            )
        self._children[part.name] = child
        process = identify(child.pid)
        self._processes += [process] if process else []
        return msgspec.structs.replace(part, process=process)

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()

    def _stop(self) -> None:
        # Not the recorded ones: who gave the stack up may have deleted the record.
        end(self._processes, GRACE_SECONDS)
        self._reap()
        (self._directory / state.FILE).unlink(missing_ok=True)


def _recorded(directory: Path) -> Stack:
    stack = state.load(directory)
    if stack is None:
        sys.exit(f"{directory / state.FILE} was deleted")
    return stack


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.local.supervisor")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--while", dest="lifeline", type=int, metavar="PID")
    return parser.parse_args()


if __name__ == "__main__":
    main()
