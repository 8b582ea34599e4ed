"""``python -m app.local.supervisor DIR [--while PID]``: start the parts of DIR's stack and stop them again.

It runs in a session of its own, away from the terminal's Ctrl-C. SIGTERM stops everything; SIGHUP starts
again what has died. With ``--while`` it also stops when that process has gone. Should it be killed itself,
the kernel kills the parts (see shim.py).
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
"""Brokers close their logs in two. The last of a quorum would then wait for the others for minutes."""


def main() -> None:
    """Detach from the caller, then run until told to stop."""
    arguments = _arguments()
    lifeline = identify(arguments.lifeline) if arguments.lifeline else None
    if arguments.lifeline and lifeline is None:
        sys.exit(f"process {arguments.lifeline} is not there")
    _detach(arguments.directory)
    Supervisor(arguments.directory).run(lifeline)


def _detach(directory: Path) -> None:
    """Go on as a process of init's; the first one records it and ends, so that the caller has nothing to reap."""
    first = os.getpid()
    if child := os.fork():
        state.save(msgspec.structs.replace(_recorded(directory), supervisor=identify(child)))
        os._exit(0)
    os.setsid()
    while os.getppid() == first:  # until it has written: from here on only this process writes
        time.sleep(POLL_SECONDS / 10)


class Supervisor:
    """Owns the children: they are started, watched and stopped by this process alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: self._signals.append(received))

    def run(self, lifeline: Process | None) -> None:
        self._start_missing()
        while not self._told_to_stop() and (lifeline is None or is_alive(lifeline)):
            time.sleep(POLL_SECONDS)
            self._reap()
        self._stop()

    def _told_to_stop(self) -> bool:
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
            child = subprocess.Popen(  # noqa: S603  # the command is our own list of words
                [sys.executable, "-I", "-S", death_signal.__file__, str(os.getpid()), *part.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=part.log.parent,
            )
        self._children[part.name] = child
        return msgspec.structs.replace(part, process=identify(child.pid))

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()

    def _stop(self) -> None:
        stack = _recorded(self._directory)
        end([part.process for part in stack.parts if part.process], GRACE_SECONDS)
        self._reap()
        (self._directory / state.FILE).unlink(missing_ok=True)


def _recorded(directory: Path) -> Stack:
    stack = state.load(directory)
    if stack is None:
        sys.exit(f"{directory / state.FILE} has gone")
    return stack


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="app.local.supervisor")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--while", dest="lifeline", type=int, metavar="PID")
    return parser.parse_args()


if __name__ == "__main__":
    main()
