"""Jars are downloaded once, verified at each use and never stored incomplete."""

import hashlib
import re
import socket
from pathlib import Path

import pytest

from app.errors import StackError
from app.local.java import jars, maven
from app.local.java.coordinate import Coordinate

KAFKA = Coordinate("org.example", "broker", "1.0")
CODEC = Coordinate("org.example.codec", "zip", "2.1")


def test_an_archive_has_a_path_beside_the_jars(tmp_path: Path) -> None:
    archive = Coordinate("org.example", "registry", "2.0", "all", "tar.gz")

    assert archive == Coordinate.parse(str(archive))
    assert archive.path(tmp_path) == tmp_path / "org/example/registry/2.0/registry-2.0-all.tar.gz"
    assert KAFKA.path(tmp_path) == tmp_path / "org/example/broker/1.0/broker-1.0.jar"


def content(coordinate: Coordinate) -> bytes:
    return str(coordinate).encode()


LOCK = {coordinate: hashlib.sha256(content(coordinate)).hexdigest() for coordinate in (KAFKA, CODEC)}


def deliver(coordinate: Coordinate, folder: Path) -> Path:
    (folder / coordinate.artifact).write_bytes(content(coordinate))
    return folder / coordinate.artifact


def deliver_altered(coordinate: Coordinate, folder: Path) -> Path:
    (folder / coordinate.artifact).write_bytes(b"something else")
    return folder / coordinate.artifact


def deliver_only_kafka(coordinate: Coordinate, folder: Path) -> Path:
    if coordinate != KAFKA:
        raise StackError(f"{coordinate} could not be downloaded")
    return deliver(coordinate, folder)


def deliver_nothing(coordinate: Coordinate, _: Path) -> Path:
    raise AssertionError(f"{coordinate} was fetched although the cache has it")


def refuse(*_: object) -> None:
    raise OSError("no network")


def test_a_warm_cache_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = jars.ensure(tmp_path, LOCK, deliver)
    monkeypatch.setattr(socket, "socket", refuse)

    assert jars.ensure(tmp_path, LOCK, deliver_nothing) == cold
    assert [path.read_bytes() for path in cold] == [content(KAFKA), content(CODEC)]


def test_a_download_without_a_console_prints_one_plain_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jars.ensure(tmp_path, LOCK, deliver)

    assert capsys.readouterr().err == f"fetching 2 jars into {tmp_path}\n"


def test_a_damaged_jar_is_refused_with_the_remedy(tmp_path: Path) -> None:
    damaged, _ = jars.ensure(tmp_path, LOCK, deliver)
    damaged.write_bytes(b"damaged")

    with pytest.raises(
        StackError, match=rf"{re.escape(str(damaged))} does not match the lock file.*Delete the file"
    ):
        jars.ensure(tmp_path, LOCK, deliver_nothing)


def test_an_altered_jar_never_enters_the_cache(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="a proxy alters it"):
        jars.ensure(tmp_path, LOCK, deliver_altered)

    assert list(tmp_path.rglob("*.jar")) == []


def test_jars_downloaded_before_a_failure_are_kept(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"org\.example\.codec:zip:2\.1 could not be downloaded"):
        jars.ensure(tmp_path, LOCK, deliver_only_kafka)

    assert [path.name for path in tmp_path.iterdir()] == ["org"]
    assert KAFKA.path(tmp_path).exists()


def test_the_error_without_a_network_names_the_jar_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)

    with pytest.raises(
        StackError, match=r"org\.example:broker:1\.0 could not be downloaded .*Check the network"
    ):
        maven.fetch(KAFKA, tmp_path)


@pytest.mark.parametrize("name", jars.LOCKS)
def test_the_committed_lock_file_is_formatted_and_complete(name: str) -> None:
    committed = Path(jars.__file__).with_name(name).read_text(encoding="utf-8")
    pinned = jars.read_lock(name)

    assert jars.format_lock(pinned) == committed
    assert {Coordinate.parse(root) for root in jars.LOCKS[name]} <= set(pinned)
    assert "//" not in committed


def test_the_cache_directory_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")

    assert jars.cache_directory() == Path("/caches/fraudstream/jars")
