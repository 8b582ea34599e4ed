"""A damaged database is moved to quarantine and replaced; other RocksDB errors are raised."""

from pathlib import Path

import pytest
import rocksdict

from app.adapters.disk.quarantine import KEPT, is_corruption, mark_suspect, move_to_quarantine, suspect_reason


def database(path: Path) -> Path:
    opened = rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
    opened[b"key"] = b"value"
    opened.close()
    return path


@pytest.mark.parametrize(
    ("pattern", "content"), [("CURRENT", b"\0" * 16), ("MANIFEST-*", b"x"), ("*.sst", b"x")]
)
def test_damaged_files_are_recognised_as_corruption(tmp_path: Path, pattern: str, content: bytes) -> None:
    path = database(tmp_path / "profiles-0.db")
    for file in path.glob(pattern):
        file.write_bytes(content)

    with pytest.raises(Exception, match=r"[Cc]orrupt") as raised:
        rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
    assert is_corruption(raised.value)


def test_a_database_that_is_in_use_is_not_corrupt(tmp_path: Path) -> None:
    path = database(tmp_path / "profiles-0.db")
    holder = rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))

    with pytest.raises(Exception, match="lock") as raised:
        rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
    assert not is_corruption(raised.value)
    holder.close()


def test_the_newest_quarantined_databases_are_kept(tmp_path: Path) -> None:
    moved = [move_to_quarantine(database(tmp_path / "profiles-0.db")) for _ in range(KEPT + 2)]

    assert [path.exists() for path in moved] == [False, False, True, True]
    assert not (tmp_path / "profiles-0.db").exists()


def test_a_database_stays_suspect_until_it_is_moved(tmp_path: Path) -> None:
    path = database(tmp_path / "profiles-0.db")
    assert not suspect_reason(path)

    mark_suspect(path, "block checksum mismatch")
    assert suspect_reason(path) == "block checksum mismatch"
    move_to_quarantine(path)
    assert not suspect_reason(path)
