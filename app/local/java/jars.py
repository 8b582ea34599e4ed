"""The jars of the stack: pinned in lock files, downloaded once, verified at every start.

A start with all jars in the cache opens no connection: it reads files and compares checksums. Run
``python -m app.local.java.jars`` to write the lock files after a change of ``LOCKS``.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from app.errors import StackError
from app.local.java.coordinate import Coordinate
from app.local.progress import each_done

KAFKA = "4.1.2"
LOG4J = "2.25.3"
"""The version that Kafka uses. The bridge from slf4j is in Kafka's distribution, but no dependency of its jar."""
DEBEZIUM = "3.6.1.Final"
LOGGING = f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}"
KAFKA_LOCK = "jars.lock"
LOCKS = {
    KAFKA_LOCK: (f"org.apache.kafka:kafka_2.13:{KAFKA}", LOGGING),
    "connect.lock": (
        f"org.apache.kafka:connect-runtime:{KAFKA}",
        f"io.debezium:debezium-connector-postgres:{DEBEZIUM}",
        f"io.debezium:debezium-api:{DEBEZIUM}",
        f"io.debezium:debezium-embedded:{DEBEZIUM}",
        LOGGING,
    ),
    "mirror.lock": (f"org.apache.kafka:connect-mirror:{KAFKA}", LOGGING),
}
"""Roots from which each lock file is resolved: Kafka for every stack, Kafka Connect and MirrorMaker on request."""

DAMAGED = "Delete the file and start again: it is then downloaded again."
ALTERED = "The download was discarded: a proxy alters it, or the lock file is wrong."

Fetch = Callable[[Coordinate, Path], Path]
Lock = Mapping[Coordinate, str]
"""SHA-256 by coordinate."""


def cache_directory() -> Path:
    """Return the directory in which this user's jars are kept between runs."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "fraudstream" / "jars"


def ensure(cache: Path, lock: Lock | None = None, fetch: Fetch | None = None) -> list[Path]:
    """Download missing jars of the lock, verify all, and return their paths. Raises StackError with jar and remedy."""
    pinned = read_lock() if lock is None else lock
    missing = [coordinate for coordinate in pinned if not coordinate.path(cache).exists()]
    if missing:
        _fetch_all(missing, pinned, cache, fetch or _fetch)
    return [_verified(coordinate.path(cache), sha256, DAMAGED) for coordinate, sha256 in pinned.items()]


def read_lock(name: str = KAFKA_LOCK) -> dict[Coordinate, str]:
    """Read a committed lock file: one line per jar with coordinate and checksum."""
    text = files("app.local.java").joinpath(name).read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {Coordinate.parse(coordinate): sha256 for coordinate, sha256 in lines}


def format_lock(lock: Lock) -> str:
    """Return the text of a lock file, sorted so that differences are small."""
    header = "# SHA-256 of every jar of the local stack. Written by `python -m app.local.java.jars`.\n"
    return header + "".join(f"{coordinate} {sha256}\n" for coordinate, sha256 in sorted(lock.items()))


def lock_roots(roots: Iterable[str]) -> dict[Coordinate, str]:
    """Resolve the roots and compute the checksums of the downloaded jars."""
    from app.local.java import maven  # noqa: PLC0415  # see _fetch

    with tempfile.TemporaryDirectory() as folder:
        found = maven.resolve(roots, Path(folder))
        return {coordinate: _sha256(maven.fetch(coordinate, Path(folder))) for coordinate in found}


def _fetch_all(missing: list[Coordinate], lock: Lock, cache: Path, fetch: Fetch) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    # Downloaded into a temporary folder and moved after verification: an interrupted download leaves no partial jar.
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as incoming:

        def store(coordinate: Coordinate) -> None:
            arrived = _verified(fetch(coordinate, Path(incoming)), lock[coordinate], ALTERED)
            target = coordinate.path(cache)
            target.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(target)

        each_done(store, missing, f"fetching {len(missing)} jars into {cache}")


def _fetch(coordinate: Coordinate, folder: Path) -> Path:
    from app.local.java import maven  # noqa: PLC0415  # importing jgo takes 0.4 s; a start with all jars in the cache does not need it

    return maven.fetch(coordinate, folder)


def _verified(jar: Path, sha256: str, remedy: str) -> Path:
    found = _sha256(jar)
    if found != sha256:
        raise StackError(f"{jar} does not match the lock file (sha256 {found}, expected {sha256}). {remedy}")
    return jar


def _sha256(jar: Path) -> str:
    with jar.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    for name, roots in LOCKS.items():
        Path(__file__).with_name(name).write_text(format_lock(lock_roots(roots)), encoding="utf-8")
        sys.stderr.write(f"wrote {name}\n")
