"""Workers and commands forked from a process that has imported everything they import.

``python -m tests.support.processes.fork_server`` is the server. It imports the modules once, loads the machine code, and
then forks one process per request. A fork runs ``faust`` or ``fraudstream`` with its own environment, output and process
group; it differs from an ordinary start only in not paying for the imports. Settings are read after the fork, as
`app.worker` itself is not imported before.

Nothing outlives the test process: the server ends when its control socket is closed, and the kernel kills the forks
when the server ends.
"""

import ctypes
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.support.paths import REPOSITORY

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 256 * 1024
READY_SECONDS = 120.0
AVAILABLE = sys.platform == "linux"
"""Elsewhere there is no signal on the death of a parent, and workers are started in the ordinary way."""
PACKAGES = ("app.adapters", "app.features", "app.processing", "app.scoring", "app.streaming", "app.topics")
MODULES = (
    "app.cli",
    "faust.cli.faust",
    "faust.cli.worker",
    "uvloop",
    "sklearn.ensemble",
    "skops.io",
    "pyarrow.parquet",
)


class ForkedProcess:
    """A process of the fork server, with the part of ``subprocess.Popen`` that tests use."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status
        self.returncode: int | None = None
        self.pid = int(self._receive(READY_SECONDS))

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float) -> int:
        """The exit code. Raises TimeoutExpired when the process still runs after ``timeout`` seconds."""
        if self.returncode is None:
            self.returncode = int(self._receive(timeout))
            self._status.close()
        return self.returncode

    def _receive(self, timeout: float) -> bytes:
        if not select.select([self._status], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("fork", timeout)
        return self._status.recv(64) or b"-9"  # the server has ended, and its forks with it


class ForkServer:
    """The client's end of one server process, which is started with the first fork."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def fork(
        self, words: list[str], environment: Mapping[str, str], output: IO[bytes], errors: IO[bytes]
    ) -> ForkedProcess:
        """Run ``words``, whose first is ``faust`` or ``fraudstream``; stdout goes to ``output``, stderr to ``errors``."""
        request = json.dumps({"words": words, "environment": dict(environment)}).encode()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            socket.send_fds(self._started(), [request], [theirs.fileno(), output.fileno(), errors.fileno()])
        return ForkedProcess(ours)

    def close(self) -> None:
        """End the server and every process that it has forked."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait(READY_SECONDS)
            self._control = None

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
            inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
            inherited["OPENBLAS_NUM_THREADS"] = "1"  # or it would have threads before the forks
            with theirs, self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.processes.fork_server"],
                    cwd=REPOSITORY,
                    env=inherited,
                    stdin=theirs.fileno(),
                    stdout=output,
                    stderr=output,
                )
        return self._control


running: ForkServer | None = None
"""The fork server of this process. While there is one, `Worker` and `commands.call` use it."""


class Server:
    """Accepts requests on ``control`` and reports the end of each fork on the socket that came with its request."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._running: dict[int, socket.socket] = {}
        self._wakeup, wakeup = socket.socketpair()
        self._wakeup.setblocking(False)
        wakeup.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup.fileno())
        self._sockets = (control, self._wakeup, wakeup)

    def serve(self) -> list[str] | None:
        """None when the client has gone; in a fork, the words that it is to run."""
        while True:
            readable, _, _ = select.select([self._control, self._wakeup], [], [])
            self._reap()
            if self._control not in readable:
                continue
            request, files, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 3)
            if not request:
                self._kill()
                return None
            words = self._fork(json.loads(request), *files)
            if words is not None:
                return words

    def _fork(self, request: Any, status: int, output: int, errors: int) -> list[str] | None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(parent, request["environment"], output, errors)
            os.close(status)
            return [str(word) for word in request["words"]]
        os.close(output)
        os.close(errors)
        self._running[pid] = socket.socket(fileno=status)
        with suppress(OSError):  # the test has ended and no longer listens
            self._running[pid].send(str(pid).encode())
        return None

    def _become(self, parent: int, environment: dict[str, str], output: int, errors: int) -> None:
        """Leave nothing of the server in this process but the imported modules."""
        die_with(parent)
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inherited in (*self._sockets, *self._running.values()):
            inherited.close()
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.close(output)
        os.close(errors)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[1:1] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]

    def _reap(self) -> None:
        try:
            self._wakeup.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._running.pop(pid) as reported, suppress(OSError):  # as above
                reported.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _kill(self) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def preload() -> None:
    """Import what workers import and load their machine code. No thread but that of jemalloc, which survives a fork."""
    for name in MODULES:
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(found.name)
    from app.adapters.catalog_file.deployed import catalog_computation  # noqa: PLC0415
    from app.features.columns import compile_fold  # noqa: PLC0415  # only in the server
    from app.lists.table import compile_table  # noqa: PLC0415
    from app.processing.entity_work import compile_facts  # noqa: PLC0415

    compile_fold()
    compile_facts()
    compile_table()
    catalog_computation("baseline").compile()
    gc.collect()
    gc.freeze()  # or the first collection of each fork would copy every page


def main() -> None:
    """Preload, serve, and in each fork run its words."""
    control = socket.socket(fileno=os.dup(0))
    preload()
    words = Server(control).serve()
    if words is None:
        return
    from faust.cli.faust import cli as faust  # noqa: PLC0415

    from app.cli import main as fraudstream  # noqa: PLC0415  # imported before the fork

    sys.argv = words
    (faust if words[0] == "faust" else fraudstream)()


if __name__ == "__main__":
    main()
