"""What Java runs is what the archive holds: every change of the unpacked folder is noticed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import StackError
from app.local import registry_server
from app.local.java import jars, unpacked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "unpacked"
    (found / "lib").mkdir(parents=True)
    (found / "lib" / "a.jar").write_bytes(b"a")
    (found / "run.jar").write_bytes(b"run")
    return found


def altered(folder: Path) -> None:
    (folder / "run.jar").write_bytes(b"ran")


def added(folder: Path) -> None:
    (folder / "lib" / "b.jar").write_bytes(b"b")


def deleted(folder: Path) -> None:
    (folder / "lib" / "a.jar").unlink()


def moved(folder: Path) -> None:
    (folder / "lib" / "a.jar").rename(folder / "a.jar")


def swapped(folder: Path) -> None:
    (folder / "lib" / "a.jar").write_bytes(b"run")
    (folder / "run.jar").write_bytes(b"a")


def linked(folder: Path) -> None:
    (folder / "lib" / "a.jar").rename(folder.parent / "a.jar")
    (folder / "lib" / "a.jar").symlink_to(folder.parent / "a.jar")


def an_empty_folder(folder: Path) -> None:
    (folder / "more").mkdir()


def test_an_untouched_folder_is_accepted(folder: Path) -> None:
    unpacked.verify(folder, unpacked.digest(folder))


@pytest.mark.parametrize("change", [altered, added, deleted, moved, swapped, linked, an_empty_folder])
def test_a_changed_folder_is_refused(folder: Path, change: Callable[[Path], None]) -> None:
    expected = unpacked.digest(folder)
    change(folder)

    with pytest.raises(StackError, match="Delete the folder"):
        unpacked.verify(folder, expected)


def test_the_registry_does_not_start_from_a_changed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive in the cache is sound; a jar in the folder beside it is not."""
    archive = registry_server.ARCHIVE.path(tmp_path)
    name = (
        f"{registry_server.ARCHIVE.artifact}-{registry_server.ARCHIVE.version}-{registry_server.SHA256[:8]}"
    )
    (archive.parent / name).mkdir(parents=True)
    (archive.parent / name / registry_server.JAR).write_bytes(b"another program")
    monkeypatch.setattr(jars, "ensure", lambda *_: [archive])

    with pytest.raises(StackError, match="Delete the folder"):
        registry_server.installed(tmp_path)
