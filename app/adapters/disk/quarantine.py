"""Databases that RocksDB calls corrupt: moved aside to be looked at, so that a sound one can take their place.

Some damage shows when a database is opened, some only when the damaged block is read. The latter ends the process,
and a note beside the database says at the next start that it must not be opened again.
"""

import shutil
from pathlib import Path

CORRUPT = ("Corruption", "Invalid argument")
"""How RocksDB's messages begin when its files are not what it wrote."""
KEPT = 2
"""Of each partition; they are as large as the database was."""
_SUSPECT = ".suspect"
_ASIDE = ".corrupt-"


def is_corruption(error: Exception) -> bool:
    """RocksDB's binding knows one class of error for all; the message says which."""
    return str(error).startswith(CORRUPT)


def mark_suspect(database: Path, reason: str) -> None:
    """The database is not to be opened again. Where even this note cannot be written, the next read says so anew."""
    database.with_name(database.name + _SUSPECT).write_text(reason, encoding="utf-8")


def suspect_reason(database: Path) -> str:
    """Why the database is not to be opened; empty when it may be."""
    note = database.with_name(database.name + _SUSPECT)
    return note.read_text(encoding="utf-8") if note.exists() else ""


def move_to_quarantine(database: Path) -> Path:
    """Move the database, and forget what was suspected of it; where it lies now. The oldest beyond KEPT go."""
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
