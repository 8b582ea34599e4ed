"""Words that the glossary replaces do not occur in the code and the documents."""

import re

from tests.support.documents import documents, title
from tests.support.paths import REPOSITORY

RULED_OUT = re.compile(r"catalogue|incarnation", re.IGNORECASE)
ON_THE_WIRE = {("app/features/profile_view.py", "incarnation")}
"""The JSON field of ``fraudstream state show``."""


def test_ruled_out_words_do_not_occur() -> None:
    files = [*sorted((REPOSITORY / "app").rglob("*.py")), *documents()]
    found = {
        (title(path), word.lower())
        for path in files
        if path.name != "glossary.md"
        for word in RULED_OUT.findall(path.read_text(encoding="utf-8"))
    }

    assert found <= ON_THE_WIRE
