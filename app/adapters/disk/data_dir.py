"""One worker per data directory: two on the same RocksDB files would spoil both."""

import fcntl
import os
import secrets
from pathlib import Path

from app.errors import ConfigurationError

LOCK_FILE = "worker.lock"
IDENTITY_FILE = "worker.id"
CHANGELOG_FILE = "changelog.id"
SETTING = "FRAUDSTREAM_WORKER_DATA_DIR"


def lock(path: Path) -> int:
    """Take the directory until this process ends, however it ends; the descriptor that holds it.

    There is no release: RocksDB is open to the last moment. Raises ConfigurationError when another worker has
    the directory, or when it cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Not inherited by child processes: the lock must not outlive its worker.
        descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{SETTING}={path} cannot be used: {error.strerror}. Choose another one."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode().strip()
        os.close(descriptor)
        raise ConfigurationError(
            f"{SETTING}={path} is in use by the worker with pid {holder or 'unknown'}. "
            "Give each worker a directory of its own."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def worker_id(path: Path) -> str:
    """The name of the worker that has the directory; it outlives the process, as the directory does."""
    file = path / IDENTITY_FILE
    if not file.exists():
        file.write_text(secrets.token_hex(4), encoding="ascii")
    return file.read_text(encoding="ascii")


def bind_changelog(path: Path, changelog: str, topic_id: str) -> None:
    """Remember which changelog the profiles in the directory are of. Raises ConfigurationError when of another.

    A topic that was deleted and made again has the same name, and offsets that say nothing about these profiles.
    """
    file = path / CHANGELOG_FILE
    if not file.exists():
        file.write_text(topic_id, encoding="ascii")
    elif (known := file.read_text(encoding="ascii")) != topic_id:
        raise ConfigurationError(
            f"the profiles in {SETTING}={path} are of another {changelog} ({known}, now {topic_id}): it was deleted and "
            "made again. Where the new one is whole, delete the directory of every worker. Where it is empty, set the "
            "group's offsets to the beginning of the transactions as well: profiles are built anew from there."
        )
