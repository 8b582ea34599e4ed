"""Quarantine of corrupt RocksDB databases: they are moved aside for inspection and restored from the changelog.

Some corruption appears when a database is opened, some only when the damaged block is read. The latter stops the process; a
note beside the database prevents that the next start opens it again.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from app.adapters.disk import durable_file
from app.adapters.disk.durable_file import DISK, Disk

CORRUPT = ("Corruption", "Invalid argument")
"""Beginnings of RocksDB's messages about damaged files."""
KEPT = 2
"""Quarantined databases kept for each partition; each is as large as the database was."""
_SUSPECT = ".suspect"
_NO_REASON = "damaged; the note about it is empty"
_ASIDE = ".corrupt-"


def is_corruption(error: Exception) -> bool:
    """Whether an error reports corruption. RocksDB's binding has one error class, so the message decides."""
    return str(error).startswith(CORRUPT)


def mark_suspect(database: Path, reason: str, disk: Disk = DISK) -> None:
    """Note that the database must not be opened again. If the note cannot be written, the next read fails again."""
    with suppress(OSError):  # the disk may be full; the caller raises the corruption itself
        durable_file.replace(_note(database), reason.encode(), disk)


def suspect_reason(database: Path) -> str:
    """Why the database must not be opened; empty when it may be. A note counts even if its text was lost."""
    note = _note(database)
    return (note.read_text("utf-8", "replace") or _NO_REASON) if note.exists() else ""


def move_to_quarantine(database: Path, disk: Disk = DISK) -> Path:
    """Move the database and delete its note; returns the new path. Only the newest KEPT are kept.

    A worker that is killed in between leaves a note without a database: then only the note is deleted.
    """
    before = sorted(database.parent.glob(f"{database.name}{_ASIDE}*"), key=_number)
    number = _number(before[-1]) + 1 if before else 1
    aside = database.with_name(f"{database.name}{_ASIDE}{number}")
    if database.exists():
        disk.rename(database, aside)
        disk.sync(database.parent)
        for old in before[: max(0, len(before) + 1 - KEPT)]:
            shutil.rmtree(old)
    _note(database).unlink(missing_ok=True)
    return aside


def _note(database: Path) -> Path:
    return database.with_name(database.name + _SUSPECT)


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])
