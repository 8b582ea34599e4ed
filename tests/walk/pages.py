"""The commands of the pages, in the order in which a new user reads them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.documents import documents, fences, title

FIRST = ("README.md", "docs/getting-started.md")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")


class Step(NamedTuple):
    """A command of a page."""

    page: str
    command: str


def pages() -> list[Path]:
    """README.md, the guide, then every other page."""
    return sorted(documents(), key=lambda path: (*(title(path) != name for name in FIRST), title(path)))


def steps() -> list[Step]:
    """Every command of the pages."""
    return [
        Step(title(path), command)
        for path in pages()
        for fence in fences(path.read_text(encoding="utf-8"))
        if fence.language == "sh"
        for command in commands(fence.text)
    ]


def commands(block: str) -> Iterator[str]:
    r"""The commands of a block without comments, continued lines joined.

    >>> list(commands("make demo   # all\n# only a comment\npython -m x \\\n   y\n"))
    ['make demo', 'python -m x y']
    """
    for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
        if command := _COMMENT.sub("", line).strip():
            yield command
