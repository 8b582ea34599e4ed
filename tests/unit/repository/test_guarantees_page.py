"""The figures on docs/guarantees.md are those of the committed results."""

from bench.pages.page import render
from tests.chaos.page import PAGE, tables


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert render(page, tables()) == page
