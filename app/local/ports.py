"""Free ports on loopback, below the range that the system hands out to outgoing connections."""

import secrets
import socket

from app.errors import StackError

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000
"""Linux takes the port of an outgoing connection from 32768 up; one from there could be gone at the next `up`."""


def is_free(port: int) -> bool:
    """Whether a server could listen here now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: a closed one does not block
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def keep_or_choose(port: int) -> int:
    """The port itself while it is free (so that addresses survive `down` and `up`), else another one."""
    return port if port and is_free(port) else choose()


def choose() -> int:
    """A free port by chance, so that stacks started at the same time do not meet."""
    while not is_free(port := LOWEST + secrets.randbelow(HIGHEST - LOWEST)):
        continue
    return port


def demand(port: int) -> int:
    """The port if it is free. Raises StackError naming it when something listens there."""
    if not is_free(port):
        raise StackError(f"port {port} on {HOST} is taken. Stop what listens there or choose another --port.")
    return port
