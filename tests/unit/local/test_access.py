"""The local stack on a machine with other users: passwords, rights of files, and what Redis lets a client do."""

import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import redis

from app.adapters.disk import durable_file, private
from app.adapters.disk.data_dir import lock
from app.adapters.redis.client import connect
from app.demo.folder import fresh
from app.local import ports, redis_server, stack
from app.local.processes import identify
from app.local.state import Part, Stack
from app.operations.local_checks import check_data_dir
from app.settings import Settings, WorkerSettings
from tests.support.servers.redis_servers import require_redis

START_SECONDS = 20.0
DANGEROUS = (
    ("CONFIG", "SET", "dir", "/"),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "REWRITE"),
    ("SAVE",),
    ("BGSAVE",),
    ("BGREWRITEAOF",),
    ("DEBUG", "SEGFAULT"),
    ("MODULE", "LOAD", "/x.so"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("SLAVEOF", "127.0.0.1", "1"),
    ("SHUTDOWN", "NOSAVE"),
    ("MIGRATE", "127.0.0.1", "1", "key", "0", "10"),
    ("RESTORE", "key", "0", "x"),
    ("ACL", "SETUSER", "default", "nopass"),
    ("MONITOR",),
    ("FLUSHALL",),
    ("EVAL", "return redis.call('CONFIG', 'SET', 'dir', '/')", "0"),
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Stack]:
    """The Redis of a stack, without the rest."""
    require_redis()
    (tmp_path / "logs").mkdir()
    part = redis_server.part(tmp_path, ports.choose())
    with part.log.open("ab") as log:
        process = subprocess.Popen(part.command, stdout=log, stderr=log)  # noqa: S603  # our own words
    try:
        wait_until_listening(part)
        yield Stack(
            directory=tmp_path,
            cluster_id="c",
            bootstrap_servers="",
            redis_url=f"redis://127.0.0.1:{part.port}/0",
            redis_password_file=redis_server.password_file(tmp_path),
            parts=(msgspec.structs.replace(part, process=identify(process.pid)),),
        )
    finally:
        process.kill()
        process.wait()


def wait_until_listening(part: Part) -> None:
    deadline = time.monotonic() + START_SECONDS
    while ports.is_free(part.port):
        assert time.monotonic() < deadline, part.log.read_text()
        time.sleep(0.02)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_redis_obeys_nobody_without_the_password(served: Stack) -> None:
    for secret in (None, "", "wrong"):
        client = redis.Redis.from_url(served.redis_url, password=secret)
        with client, pytest.raises((redis.AuthenticationError, redis.ResponseError)):
            client.get("key")


@pytest.mark.parametrize("words", DANGEROUS, ids=" ".join)
def test_redis_does_not_administrate_itself_even_with_the_password(
    served: Stack, words: tuple[str, ...]
) -> None:
    with redis.Redis.from_url(served.redis_url, password=served.redis_password) as client:
        with pytest.raises(redis.ResponseError, match=r"(?i)permission|script|unknown command"):
            client.execute_command(*words)
        assert client.ping()


async def test_a_worker_can_do_all_that_it_needs(served: Stack) -> None:
    client: Any = connect(served.redis, 5.0)
    try:
        assert await client.mset({"a": b"1", "b": b"2"})
        assert [b"1", b"2"] == await client.mget(["a", "b"])
        async with client.pipeline(transaction=True) as transaction:
            await transaction.watch("a")
            transaction.multi()
            transaction.set("a", b"3")
            transaction.expire("a", 100)
            await transaction.execute()
        assert 1 == await client.hset("h", "f", "v")
        assert b"3" == await client.eval("return redis.call('GET', KEYS[1])", 1, "a")
        assert 3 == len([key async for key in client.scan_iter()])
    finally:
        await client.aclose()


def test_the_password_is_in_a_file_of_the_owner_alone_and_in_no_command(served: Stack) -> None:
    [part] = served.parts
    assert 0o600 == mode(served.redis_password_file)
    assert 0o700 == mode(served.redis_password_file.parent)
    assert served.redis_password not in " ".join(part.command)
    assert served.redis_password not in repr(served)
    assert len(served.redis_password) >= 32


def test_each_start_has_another_password(tmp_path: Path) -> None:
    require_redis()
    found = set()
    for _ in range(3):
        redis_server.part(tmp_path, 1)
        found.add(redis_server.password_file(tmp_path).read_text())

    assert 3 == len(found)


def test_redis_listens_on_loopback_alone(served: Stack) -> None:
    [part] = served.parts
    listening = psutil.Process(part.pid).net_connections("all")

    assert [("127.0.0.1", part.port)] == [each.laddr for each in listening if each.status == "LISTEN"]


@pytest.fixture
def open_mask() -> Iterator[None]:
    """The mask of a user who lets everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_mask")
def test_folders_with_data_are_for_the_owner_alone(tmp_path: Path) -> None:
    os.close(lock(tmp_path / "worker" / "risk"))
    durable_file.replace(tmp_path / "analytics" / "decisions" / "day" / "part.json", b"{}")
    fresh(tmp_path / "demo")
    stack.stop(tmp_path / "absent")
    with stack._alone(tmp_path / "stack"):
        pass

    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert len(made) >= 7
    assert {0o700} == {mode(path) for path in made}


def test_a_stack_of_an_earlier_release_is_closed(tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    directory.mkdir(mode=0o755)
    with stack._alone(directory):
        assert 0o700 == mode(directory)


def test_a_data_directory_that_an_operator_has_opened_stays_so_and_the_doctor_tells(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    directory.chmod(0o750)
    os.close(lock(directory))
    finding = check_data_dir(Settings(worker=WorkerSettings(data_dir=str(directory))))

    assert 0o750 == mode(directory)
    assert "open to other users" in finding.found
    assert "chmod 700" in finding.remedy
    directory.chmod(0o700)
    assert (
        "open to other users"
        not in check_data_dir(Settings(worker=WorkerSettings(data_dir=str(directory)))).found
    )


def test_a_private_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("other")
    (tmp_path / "password").symlink_to(tmp_path / "other")

    private.write_file(tmp_path / "password", "secret")

    assert "other" == (tmp_path / "other").read_text()
    assert "secret" == (tmp_path / "password").read_text()
    assert 0o600 == mode(tmp_path / "password")
