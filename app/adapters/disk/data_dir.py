"""Ownership of a worker's data directory: two workers on the same RocksDB files would corrupt them.

A small file that is empty or cut counts as absent: earlier releases did not sync these files, so power loss could leave them so.
"""

import fcntl
import os
import re
import secrets
from pathlib import Path

from app.adapters.disk import durable_file, private
from app.adapters.disk.durable_file import DISK, Disk
from app.adapters.disk.quarantine import move_to_quarantine
from app.errors import ConfigurationError

LOCK_FILE = "worker.lock"
IDENTITY_FILE = "worker.id"
CHANGELOG_FILE = "changelog.id"
SETTING = "FRAUDSTREAM_WORKER_DATA_DIR"
_IDENTITY = re.compile(r"[0-9a-f]{8}")
_TOPIC_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def lock(path: Path) -> int:
    """Lock the directory for the lifetime of this process and return the descriptor that holds the lock.

    The lock is never released explicitly, because RocksDB stays open until the process ends. Raises ConfigurationError when
    another worker holds it, or when the directory is not writable.
    """
    try:
        private.make_folder(path)
        # O_CLOEXEC: a child process that inherited the descriptor would keep the lock after the worker's death.
        descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{SETTING}={path} cannot be used: {error.strerror}. Choose another one."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise ConfigurationError(
            f"{SETTING}={path} is in use by the worker with pid {holder or 'unknown'}. "
            "Give each worker a directory of its own."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def worker_id(path: Path, disk: Disk = DISK) -> str:
    """The worker's id, kept in the directory across restarts. It only names the worker: without one, a new id is drawn."""
    file = path / IDENTITY_FILE
    known = _content(file, _IDENTITY)
    if not known:
        known = secrets.token_hex(4)
        durable_file.replace(file, known.encode(), disk)
    return known


def bind_changelog(path: Path, changelog: str, topic_id: str, disk: Disk = DISK) -> list[Path]:
    """Bind the directory to the changelog that its databases come from; returns the databases moved to quarantine.

    Databases without a valid id may come from an earlier topic of the same name, whose offsets mean something else. They
    are moved aside, and the changelog restores them as on a new host.

    Raises ConfigurationError when they come from another changelog, and changes nothing.
    """
    file = path / CHANGELOG_FILE
    known = _content(file, _TOPIC_ID)
    if known and known != topic_id:
        raise ConfigurationError(
            f"the databases in {SETTING}={path} come from another {changelog} ({known}, now {topic_id}): it was deleted and "
            "created again, or belongs to another cluster. Nothing was changed. Check first that the settings name the "
            "right cluster. If the new topic is complete, move the directory aside and start again: the worker restores "
            "from the topic. If it is empty or incomplete, see docs/data/replay.md, Rebuild a lost changelog; on a mirror that takes "
            "over, docs/operate/disaster-recovery.md. Delete the "
            "moved directory only after `fraudstream state verify` has found no difference."
        )
    if known:
        return []
    moved = [move_to_quarantine(database, disk) for database in databases(path)]
    durable_file.replace(file, topic_id.encode(), disk)  # last: after power loss here, the rest is moved too
    return moved


def databases(path: Path) -> list[Path]:
    """The databases in the directory, one per table and partition."""
    return sorted((path / "v1" / "tables").glob("*.db"))


def _content(file: Path, form: re.Pattern[str]) -> str:
    """The content of a small file; empty when it is missing, cut, or not of the form."""
    try:
        text = file.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return ""
    return text if form.fullmatch(text) else ""
