"""Hostile names on HTML pages, in their pictures, and in the list of bundles."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.reports.headlines import headlines
from app.reports.page import page
from tests.unit.outputs.day_reports import day_report
from tests.unit.outputs.hostile import EVERYTHING, is_harmless

NAMES = (EVERYTHING, "$\\frac{1}$", "$", "<script>alert(1)</script>", "]]>", "&amp;", "\x00")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_page_and_its_pictures_show_a_hostile_name_as_text(name: str) -> None:
    report = day_report(name)

    shown = page(report, headlines(report, report), name, "https://cases.example/{alert_id}")

    assert is_harmless(shown)
    assert shown.encode()
    assert "<script" not in shown
    assert "Precision so far" in shown
    assert not re.search(
        r"<(?!/?(?:!doctype|html|head|meta|title|style|body|h1|h2|p|table|thead|tbody|tr|th|td|a|b|div|figure|"
        r"figcaption|svg|g|path|text|tspan|defs|use|rect|clipPath|metadata|rdf|cc|dc)\b|!--)",
        shown,
    )


def test_the_list_of_bundles_shows_a_hostile_name_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a\x1b]0;title\x07\nall is well\x9b2J\u202e[link=http:evil]"
    (tmp_path / name / name).mkdir(parents=True)
    (tmp_path / name / name / "manifest.json").write_text("{")
    monkeypatch.setenv("FRAUDSTREAM_MODEL_DIR", str(tmp_path))

    for words in (["model", "list"], ["model", "list", "--json"]):
        shown = CliRunner().invoke(app, words).output

        assert is_harmless(shown)
        assert "all is well" in shown
        assert not any(line.startswith("all is well") for line in shown.splitlines())
