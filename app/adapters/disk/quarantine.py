"""Quarantine of corrupt RocksDB databases: they are moved aside for inspection and restored from the changelog.

Some corruption appears when a database is opened, some only when the damaged block is read. The latter stops the process; a
note beside the database prevents that the next start opens it again.
"""

import shutil
from pathlib import Path

CORRUPT = ("Corruption", "Invalid argument")
"""Beginnings of RocksDB's messages about damaged files."""
KEPT = 2
"""Quarantined databases kept for each partition; each is as large as the database was."""
_SUSPECT = ".suspect"
_ASIDE = ".corrupt-"


def is_corruption(error: Exception) -> bool:
    """Whether an error reports corruption. RocksDB's binding has one error class, so the message decides."""
    return str(error).startswith(CORRUPT)


def mark_suspect(database: Path, reason: str) -> None:
    """Note that the database must not be opened again. If the note cannot be written, the next read fails again."""
    database.with_name(database.name + _SUSPECT).write_text(reason, encoding="utf-8")


def suspect_reason(database: Path) -> str:
    """Why the database must not be opened; empty when it may be."""
    note = database.with_name(database.name + _SUSPECT)
    return note.read_text(encoding="utf-8") if note.exists() else ""


def move_to_quarantine(database: Path) -> Path:
    """Move the database and delete its note; returns the new path. Only the newest KEPT are kept."""
    before = sorted(database.parent.glob(f"{database.name}{_ASIDE}*"), key=_number)
    number = _number(before[-1]) + 1 if before else 1
    aside = database.with_name(f"{database.name}{_ASIDE}{number}")
    database.rename(aside)
    for old in before[: max(0, len(before) + 1 - KEPT)]:
        shutil.rmtree(old)
    database.with_name(database.name + _SUSPECT).unlink(missing_ok=True)
    return aside


def _number(aside: Path) -> int:
    return int(aside.name.rpartition("-")[2])
