"""The figures of docs/operate/disaster-recovery.md are those of the result file."""

import json

from tests.integration.faults.mirror_page import PAGE, RESULT, rendered


def test_the_page_shows_the_figures_of_the_result_file() -> None:
    page = PAGE.read_text("utf-8")

    assert rendered(page, json.loads(RESULT.read_text("utf-8"))) == page
