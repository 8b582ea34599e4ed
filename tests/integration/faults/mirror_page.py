"""Writes the figures of ``test_mirror.py`` into docs/operate/disaster-recovery.md: ``python -m tests.integration.faults.mirror_page``."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.paths import REPOSITORY

RESULT = Path(__file__).with_name("mirror.json")
PAGE = REPOSITORY / "docs" / "operate" / "disaster-recovery.md"
ROWS = (
    ("transactions per second", "transactions_per_s"),
    ("transactions in the primary at its loss", "transactions_at_loss"),
    ("of these mirrored", "mirrored"),
    ("not mirrored: lost until they are sent again", "not_mirrored"),
    ("decided by the primary but not mirrored", "not_mirrored_but_decided"),
    ("mirrored transactions without a decision afterwards", "not_decided"),
    ("transactions lost or counted twice in profiles", "counted_twice_or_lost"),
    ("`--repeat-seconds`", "repeat_seconds"),
    ("transactions decided twice", "decided_twice"),
    ("facts of entities counted twice", "counted_twice_by_entities"),
    ("alerts", "alerts"),
    ("alerts sent twice, under the same ids", "alerts_sent_twice"),
    ("questions to customers", "questions"),
    ("questions asked twice, under the same ids", "questions_asked_twice"),
    ("s to stop MirrorMaker", "stop_mirror_maker"),
    ("s to rebuild the profiles", "rebuild"),
    ("s from the start of the workers to the first decision", "start_workers_to_first_decision"),
    ("s to decide what had waited", "decide_what_waited"),
    ("s together", "all"),
)


def rendered(page: str, figures: dict[str, Any]) -> str:
    """The page with the table of ``figures``."""
    found = figures | figures["seconds"]
    rows = "".join(f"| {meaning} | {found[name]:,} |\n" for meaning, name in ROWS)
    table = f"| | |\n| --- | ---: |\n{rows}"
    return re.sub(
        r"(<!-- table:mirror -->\n).*?(<!-- end -->)",
        lambda place: place[1] + table + place[2],
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    page = rendered(PAGE.read_text("utf-8"), json.loads(RESULT.read_text("utf-8")))
    PAGE.write_text(page, encoding="utf-8")
