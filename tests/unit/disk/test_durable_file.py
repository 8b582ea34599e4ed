"""Small files survive power loss: they hold the old content or the new one, and after the call the new one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.adapters.disk.data_dir import CHANGELOG_FILE, IDENTITY_FILE, bind_changelog, worker_id
from app.adapters.disk.durable_file import Disk, publish, replace
from app.adapters.disk.quarantine import mark_suspect
from tests.unit.disk.forgetful_disk import ForgetfulDisk

ID = "6f3c1d86-0b0f-4a77-9a4e-1f6a2f5d2c10"
WRITERS: dict[str, Callable[[Path, Disk], object]] = {
    IDENTITY_FILE: worker_id,
    CHANGELOG_FILE: lambda folder, disk: bind_changelog(folder, "changelog", ID, disk),
    "profiles-0.db.suspect": lambda folder, disk: mark_suspect(folder / "profiles-0.db", "checksum", disk),
    "any": lambda folder, disk: replace(folder / "any", b"new", disk),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("old", [None, b""], ids=["new", "cut before"])
def test_power_loss_leaves_the_old_content_or_the_new(tmp_path: Path, name: str, old: bytes | None) -> None:
    path = tmp_path / name
    if old is not None:
        path.write_bytes(old)
    disk = ForgetfulDisk(path)
    WRITERS[name](tmp_path, disk)

    new = path.read_bytes()
    assert new
    assert all(possible <= {old, new} for possible in disk.seen)
    assert disk.seen[-1] == {new}
    assert disk.steps == [("write", "file"), ("sync", "file"), ("rename", "file"), ("sync", "folder")]
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("forgets", [Path.is_file, Path.is_dir], ids=["file", "folder"])
def test_a_missing_sync_is_found(tmp_path: Path, forgets: Callable[[Path], bool]) -> None:
    """The mutants of the test above: a disk that ignores the sync of files, or of folders."""
    disk = ForgetfulDisk(tmp_path / "any", forgets)
    replace(tmp_path / "any", b"new", disk)

    assert disk.seen[-1] != {b"new"}


def test_a_refused_write_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    class Full(Disk):
        def write(self, path: Path, data: bytes) -> None:
            super().write(path, data[:1])
            raise OSError(28, "No space left on device")

    path = tmp_path / "any"
    replace(path, b"old")
    with pytest.raises(OSError, match="No space left"):
        replace(path, b"new", Full())

    assert [(path, b"old")] == [(each, each.read_bytes()) for each in tmp_path.iterdir()]


def test_folders_on_the_way_are_created_and_synced(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two" / "any"
    disk = ForgetfulDisk(path)
    replace(path, b"new", disk)

    assert path.read_bytes() == b"new"
    assert disk.steps[:2] == [("sync", "folder"), ("sync", "folder")]


def test_a_folder_is_published_after_all_that_it_contains(tmp_path: Path) -> None:
    unfinished = tmp_path / ".bundle.tmp"
    (unfinished / "part").mkdir(parents=True)
    for name in ("manifest", "part/rows"):
        (unfinished / name).write_bytes(b"content")
    disk = ForgetfulDisk(tmp_path / "bundle")
    publish(unfinished, tmp_path / "bundle", disk)

    assert sorted(disk.steps[:4]) == [
        ("sync", "file"),
        ("sync", "file"),
        ("sync", "folder"),
        ("sync", "folder"),
    ]
    assert disk.steps[4:] == [("rename", "folder"), ("sync", "folder")]
