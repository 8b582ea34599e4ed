"""A small file that is empty or cut stops no worker, and no profile of another changelog is used."""

from pathlib import Path

import pytest

from app.adapters.disk.data_dir import CHANGELOG_FILE, IDENTITY_FILE, bind_changelog, databases, worker_id
from app.adapters.disk.durable_file import Disk
from app.adapters.disk.quarantine import mark_suspect, move_to_quarantine, suspect_reason
from app.errors import ConfigurationError

ID = "6f3c1d86-0b0f-4a77-9a4e-1f6a2f5d2c10"
OTHER_ID = "0d4f3a55-53a2-4a0f-8a2c-7b1d5a0f9e21"
ZEROS = b"\0" * 64
"""What a file system may show where a block was allocated and not written."""


def with_databases(folder: Path) -> list[Path]:
    tables = folder / "v1" / "tables"
    for partition in range(2):
        (tables / f"customer-profiles-{partition}.db").mkdir(parents=True)
    return databases(folder)


def test_the_worker_id_survives_a_restart_and_is_drawn_again_when_cut(tmp_path: Path) -> None:
    file = tmp_path / IDENTITY_FILE
    first = worker_id(tmp_path)
    assert worker_id(tmp_path) == first
    for damaged in [*(first.encode()[:size] for size in range(len(first))), ZEROS]:
        file.write_bytes(damaged)
        drawn = worker_id(tmp_path)
        assert drawn != first
        assert worker_id(tmp_path) == drawn


def test_databases_of_a_known_changelog_stay(tmp_path: Path) -> None:
    assert bind_changelog(tmp_path, "changelog", ID) == []
    kept = with_databases(tmp_path)

    assert bind_changelog(tmp_path, "changelog", ID) == []
    assert databases(tmp_path) == kept


@pytest.mark.parametrize("damaged", [*(ID.encode()[:size] for size in range(len(ID))), ZEROS, None])
def test_databases_of_an_unknown_changelog_are_moved_aside(tmp_path: Path, damaged: bytes | None) -> None:
    """The changelog restores them. Adopted, they might be those of an earlier topic of the same name."""
    before = with_databases(tmp_path)
    if damaged is not None:
        (tmp_path / CHANGELOG_FILE).write_bytes(damaged)

    moved = bind_changelog(tmp_path, "changelog", ID)

    assert [path.name for path in moved] == [f"{path.name}.corrupt-1" for path in before]
    assert all(path.is_dir() for path in moved)
    assert databases(tmp_path) == []
    assert bind_changelog(tmp_path, "changelog", ID) == []


class Killed(Exception):
    """The worker is killed."""


class KilledBeforeTheMove(Disk):
    """The worker is killed before it moves a database."""

    def rename(self, path: Path, target: Path) -> None:
        if path.suffix == ".db":
            raise Killed
        super().rename(path, target)


def test_a_worker_that_is_killed_while_it_moves_databases_moves_the_rest_at_its_next_start(
    tmp_path: Path,
) -> None:
    before = with_databases(tmp_path)
    with pytest.raises(Killed):
        bind_changelog(tmp_path, "changelog", ID, KilledBeforeTheMove())
    assert databases(tmp_path) == before

    assert len(bind_changelog(tmp_path, "changelog", ID)) == len(before)
    assert databases(tmp_path) == []


def test_another_changelog_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    bind_changelog(tmp_path, "risk-changelog", ID)
    kept = with_databases(tmp_path)

    with pytest.raises(ConfigurationError, match=rf"risk-changelog \({ID}, now {OTHER_ID}\)") as refused:
        bind_changelog(tmp_path, "risk-changelog", OTHER_ID)
    assert databases(tmp_path) == kept
    assert "move the directory aside" in str(refused.value)
    assert "Delete the moved directory only after" in str(refused.value)


def test_a_note_about_a_damaged_database_counts_at_every_length(tmp_path: Path) -> None:
    database, note = tmp_path / "profiles-0.db", tmp_path / "profiles-0.db.suspect"
    assert not suspect_reason(database)
    mark_suspect(database, "checksum")
    for size in range(len("checksum") + 1):
        note.write_bytes(b"checksum"[:size])
        assert suspect_reason(database)


def test_a_note_whose_database_was_moved_before_is_deleted(tmp_path: Path) -> None:
    """The worker was killed between the two."""
    database = tmp_path / "profiles-0.db"
    mark_suspect(database, "checksum")
    move_to_quarantine(database)

    assert not suspect_reason(database)
    assert list(tmp_path.iterdir()) == []


def test_a_note_stays_until_its_database_is_moved(tmp_path: Path) -> None:
    database = tmp_path / "profiles-0.db"
    database.mkdir()
    mark_suspect(database, "checksum")
    with pytest.raises(Killed):
        move_to_quarantine(database, KilledBeforeTheMove())

    assert suspect_reason(database) == "checksum"


def test_the_move_of_a_database_is_on_the_disk_before_its_note_is_deleted(tmp_path: Path) -> None:
    """Without the note, a database that is back under its name after power loss would be opened."""
    database = tmp_path / "profiles-0.db"
    database.mkdir()
    mark_suspect(database, "checksum")
    synced: list[tuple[Path, bool]] = []

    class Noting(Disk):
        def sync(self, path: Path) -> None:
            synced.append((path, bool(suspect_reason(database)) and not database.exists()))
            super().sync(path)

    move_to_quarantine(database, Noting())

    assert synced == [(tmp_path, True)]
