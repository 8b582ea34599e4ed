"""Real Redis servers that a test may pause, stop and flush; and TLS in front of one.

The Redis of the wheels is built without TLS. TLS therefore ends in a proxy, as with stunnel or a load balancer; the client
under test sees no difference.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from app.errors import StackError
from app.local import ports, redis_server
from tests.support.servers.certificates import Issued

START_SECONDS = 20.0
POLL_SECONDS = 0.02


def require_redis() -> None:
    """Skip the test where there is no Redis: its wheel is for Python 3.11 and 3.12 only."""
    try:
        redis_server.executable()
    except StackError as missing:
        pytest.skip(str(missing))


class RedisServer:
    """A Redis process on its own port, with a password if one is given."""

    def __init__(self, directory: Path, password: str = "") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "logs").mkdir(exist_ok=True)
        self.port = ports.choose()
        self._directory = directory
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        log = self._directory / "logs" / "redis.log"
        command = redis_server.command(self._directory, self.port)
        secret = ("--requirepass", self._password) if self._password else ()
        with log.open("ab") as output:
            self._process = subprocess.Popen([*command, *secret], stdout=output, stderr=output)  # noqa: S603  # the command is our own list of words
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(POLL_SECONDS)

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self._password or None)

    def pause(self) -> None:
        """Stop the process: the kernel accepts connections and no command is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        with self.client() as client:
            client.flushall()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


@contextmanager
def tls_in_front(port: int, server: Issued, client_authority: Path | None = None) -> Iterator[int]:
    """The port of a TLS endpoint in front of ``port``. With ``client_authority`` it requires client certificates of it."""
    chosen = ports.choose()
    words = [chosen, port, server.both, *([client_authority] if client_authority else [])]
    process = subprocess.Popen([sys.executable, "-m", "tests.support.servers.tls_proxy", *map(str, words)])  # noqa: S603  # as above
    try:
        _wait_listening(chosen)
        yield chosen
    finally:
        process.kill()
        process.wait()


def _wait_listening(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)
