"""The whole local stack on a machine with other users: every socket is on loopback, every file is the owner's alone."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from app.local import stack as local_stack
from app.local.extras import EXTRAS
from app.local.state import Stack

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
DEFAULT_PORTS = (2181, 5432, 6379, 8080, 8083, 9000, 9092)
"""Of the servers' own configuration."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Every server that a stack can have, on a machine whose default ports are taken."""
    directory = tmp_path_factory.mktemp("whole") / "stack"
    mask = os.umask(0)  # the mask of a user who lets everybody read
    try:
        with ExitStack() as taken:
            for port in DEFAULT_PORTS:
                with suppress(OSError):  # another program has taken it already
                    taken.enter_context(socket.create_server(("127.0.0.1", port)))
            yield local_stack.start(directory, 1, None, os.getpid(), also=tuple(EXTRAS))
    finally:
        os.umask(mask)
        local_stack.stop(directory)


def tree(stack: Stack) -> list[psutil.Process]:
    """The supervisor, its servers, and all that these have started."""
    assert stack.supervisor is not None
    supervisor = psutil.Process(stack.supervisor.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def test_the_tree_has_every_server(whole: Stack) -> None:
    assert {part.pid for part in whole.parts} <= {process.pid for process in tree(whole)}


def test_every_socket_of_the_stack_is_on_loopback(whole: Stack) -> None:
    """Sockets that listen, and those of UDP, which receive without listening."""
    found = {
        (process.name(), each.laddr.ip, each.laddr.port)
        for process in tree(whole)
        for each in process.net_connections("inet")
        if each.laddr
        and (each.status == psutil.CONN_LISTEN or (each.type.name == "SOCK_DGRAM" and not each.raddr))
    }

    assert {part.port for part in whole.parts} <= {port for _, _, port in found}
    assert [] == sorted(each for each in found if each[1] not in LOOPBACK)


def test_no_server_has_a_socket_in_the_file_system_that_others_may_reach(whole: Stack) -> None:
    paths = [
        Path(each.laddr)
        for process in tree(whole)
        for each in process.net_connections("unix")
        if each.laddr and not each.laddr.startswith("@") and each.status == psutil.CONN_LISTEN
    ]

    assert [] == [path for path in paths if not path.is_relative_to(whole.directory)]


def test_nobody_else_enters_the_directory_of_the_stack(whole: Stack) -> None:
    assert 0o700 == stat.S_IMODE(whole.directory.stat().st_mode)


def test_no_password_is_in_the_words_of_a_process(whole: Stack) -> None:
    words = "\n".join(" ".join(process.cmdline()) for process in tree(whole))

    for secret in (whole.redis_password, whole.postgres_password):
        assert len(secret) >= 32
        assert secret not in words
