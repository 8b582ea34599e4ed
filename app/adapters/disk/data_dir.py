"""Ownership of a worker's data directory: two workers on the same RocksDB files would corrupt them."""

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
    """Lock the directory for the lifetime of this process and return the descriptor that holds the lock.

    The lock is never released explicitly, because RocksDB stays open until the process ends. Raises ConfigurationError when
    another worker holds it, or when the directory is not writable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # O_CLOEXEC: a child process that inherited the descriptor would keep the lock after the worker's death.
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
    """The worker's id, created with the directory and kept in it across restarts."""
    file = path / IDENTITY_FILE
    if not file.exists():
        file.write_text(secrets.token_hex(4), encoding="ascii")
    return file.read_text(encoding="ascii")


def bind_changelog(path: Path, changelog: str, topic_id: str) -> None:
    """Store the id of the changelog that the directory's profiles come from, at the first call.

    Raises ConfigurationError when they come from another changelog: a topic that was deleted and created again has the same
    name, but its offsets do not refer to these profiles.
    """
    file = path / CHANGELOG_FILE
    if not file.exists():
        file.write_text(topic_id, encoding="ascii")
    elif (known := file.read_text(encoding="ascii")) != topic_id:
        raise ConfigurationError(
            f"the profiles in {SETTING}={path} come from another {changelog} ({known}, now {topic_id}): it was deleted and "
            "created again. If the new one is complete, delete the directory of every worker. If it is empty, also set the "
            "group's offsets to the beginning of the transactions: profiles are rebuilt from there."
        )
