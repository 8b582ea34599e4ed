"""CSV files are opened in spreadsheets: no text in them is a formula, numbers stay numbers, and a flag keeps texts."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.tabular.table_writer import TableWriter
from app.domain.safe_text import in_csv
from app.errors import InvalidFile
from tests.unit.outputs.hostile import texts

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2-3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "'=1", "'-x"]


def written(path: Path, ids: list[str], *, raw_csv: bool = False) -> list[list[str]]:
    with TableWriter(path, {"id": "text", "amount": "integer", "score": "real"}, raw_csv=raw_csv) as table:
        table.write({"id": ids, "amount": [-5] * len(ids), "score": [-0.5] * len(ids)})
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_text(formula: str, tmp_path: Path) -> None:
    [[cell, amount, score]] = written(tmp_path / "f.csv", [formula])

    assert cell.startswith("'")
    assert ("-5", "-0.5") == (amount, score)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_flag_keeps_texts_as_they_are(formula: str, tmp_path: Path) -> None:
    [[cell, *_]] = written(tmp_path / "f.csv", [formula], raw_csv=True)

    assert formula == cell


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts.map(lambda text: text.encode("utf-8", "replace").decode()), min_size=1, max_size=5))
def test_every_cell_is_the_neutralised_text(tmp_path: Path, ids: list[str]) -> None:
    assert list(map(in_csv, ids)) == [row[0] for row in written(tmp_path / "f.csv", ids)]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_other_formats_hold_texts_as_they_are(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"f{suffix}"
    with TableWriter(path, {"id": "text"}) as table:
        table.write({"id": ["=1+1"]})

    assert b"=1+1" in path.read_bytes()
    assert b"'=1+1" not in path.read_bytes()


def test_the_unfinished_file_is_not_written_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "00")
    (tmp_path / "other").write_text("other")
    (tmp_path / ".f.csv.00.tmp").symlink_to(tmp_path / "other")

    with pytest.raises(InvalidFile), TableWriter(tmp_path / "f.csv", {"id": "text"}):
        pass
    assert "other" == (tmp_path / "other").read_text()
