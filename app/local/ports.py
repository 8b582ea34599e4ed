"""Free ports on loopback, below the range of ephemeral ports."""

import secrets
import socket

from app.errors import StackError

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 32_000
"""Linux assigns ports from 32768 up to outgoing connections; a server port there could be taken at the next `up`."""
_chosen: set[int] = set()
"""By this process: a server that was given one of them may not listen yet."""


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do, so that a connection in TIME_WAIT does not count as taken
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def keep_or_choose(port: int) -> int:
    """Return the port while it is free, so that addresses survive `down` and `up`; otherwise another one."""
    return port if port and is_free(port) else choose()


def choose() -> int:
    """Return a random free port, never the same one twice.

    It is random so that stacks started at the same time seldom collide. A server that starts with it still may find it
    taken.
    """
    while (port := LOWEST + secrets.randbelow(HIGHEST - LOWEST)) in _chosen or not is_free(port):
        continue
    _chosen.add(port)
    return port


def demand(port: int) -> int:
    """Return the port if it is free. Raises StackError when it is taken."""
    if not is_free(port):
        raise StackError(f"port {port} on {HOST} is taken. Stop what listens there or choose another --port.")
    return port
