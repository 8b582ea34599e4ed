"""Writing tables: atomically, and the same bytes for the same rows."""

import math
from pathlib import Path

import pytest

from app.adapters.tabular.table_writer import TableWriter
from app.errors import InvalidFile

SUFFIXES = [".parquet", ".csv", ".jsonl", ".ndjson"]


def write(path: Path, amounts: list[float]) -> None:
    with TableWriter(path, {"id": "text", "amount": "real"}) as writer:
        for amount in amounts:
            writer.write({"id": ["a"], "amount": [amount]})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"f{suffix}"
    write(path, [1.0, math.nan])
    first = path.read_bytes()
    write(path, [1.0, math.nan])

    assert path.read_bytes() == first


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"f{suffix}"
    path.write_text("old")
    with pytest.raises(KeyError), TableWriter(path, {"id": "text"}) as writer:
        writer.write({"other": ["a"]})

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_does_not_exist_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    with TableWriter(path, {"id": "text"}) as writer:
        writer.write({"id": ["a"]})

        assert not path.exists()


def test_the_input_file_is_never_the_target(tmp_path: Path) -> None:
    source = tmp_path / "f.csv"
    source.write_text("old")
    (tmp_path / "link.csv").symlink_to(source)
    with pytest.raises(InvalidFile, match="is the input file"):
        TableWriter(tmp_path / "link.csv", {"id": "text"}, inputs=[source])


@pytest.mark.parametrize(("name", "why"), [("f.xls", "suffix"), ("absent/f.csv", "directory does not exist")])
def test_an_invalid_target_is_refused_before_any_row(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(InvalidFile, match=why):
        TableWriter(tmp_path / name, {"id": "text"})


def test_an_empty_table_still_has_its_columns(tmp_path: Path) -> None:
    with TableWriter(tmp_path / "f.csv", {"id": "text", "amount": "real"}):
        pass

    assert (tmp_path / "f.csv").read_text() == '"id","amount"\n'
