"""The figures on docs/data/damaged-input.md are those of the committed results."""

from bench.pages.page import render
from tests.fuzz.coverage_guided import result as guided
from tests.fuzz.page import PAGE, tables
from tests.fuzz.results_file import read


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert render(page, tables()) == page


def test_every_committed_result_is_as_documented() -> None:
    assert [name for name, found in read().items() if not found.passed] == []


def test_no_committed_run_of_the_guided_fuzzer_has_a_finding() -> None:
    assert [name for name, found in guided.read().items() if not found.passed] == []
