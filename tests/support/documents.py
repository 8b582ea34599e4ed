"""The project's Markdown files and their parts: links, anchors, fenced blocks, inline code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import REPOSITORY

FENCE = re.compile(r"^ *```(\S*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")
_WITHOUT_DOCUMENTS = {".venv", ".venv-bench", "data", "tests", "app", "bench"}


class Fence(NamedTuple):
    """A fenced block: its declared language and its text."""

    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file outside the code's folders."""
    return [
        path
        for path in sorted(REPOSITORY.rglob("*.md"))
        if (parts := path.relative_to(REPOSITORY).parts)
        and parts[0] not in _WITHOUT_DOCUMENTS
        and not any(part.startswith(".") for part in parts)
    ]


def title(path: Path) -> str:
    """The path within the repository, for the id of a test.

    >>> title(REPOSITORY / "README.md")
    'README.md'
    """
    return path.relative_to(REPOSITORY).as_posix()


def fences(text: str) -> list[Fence]:
    r"""The fenced blocks in order.

    >>> fences("```sh\nmake test\n```\n")
    [Fence(language='sh', text='make test\\n')]
    """
    return [Fence(found[1], found[2]) for found in FENCE.finditer(text)]


def without_fences(text: str) -> str:
    return FENCE.sub("", text)


def without_link_targets(text: str) -> str:
    """Link texts alone: targets are checked as links.

    >>> without_link_targets("see [models](models/models.md)")
    'see models'
    """
    return _LINK.sub(lambda link: link[0][1:].partition("]")[0], text)


def links(text: str) -> list[str]:
    """Targets of links and images outside fenced blocks."""
    return [found[1] for found in _LINK.finditer(without_fences(text))]


def inline_code(text: str) -> list[str]:
    """Text between single backticks, a wrapped line joined."""
    return [" ".join(found[1].split()) for found in _INLINE.finditer(without_fences(text))]


def anchors(text: str) -> set[str]:
    r"""The ids that GitHub gives the headings; a repeated heading gets a number.

    >>> sorted(anchors("# What is kept, and why\n## Columns\n## Columns\n"))
    ['columns', 'columns-1', 'what-is-kept-and-why']
    """
    found: set[str] = set()
    for match in _HEADING.finditer(without_fences(text)):
        slug = _NOT_IN_A_SLUG.sub("", without_link_targets(match[1]).lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def broken_links(path: Path, text: str) -> Iterator[str]:
    """Relative links and anchors that lead nowhere."""
    for target in links(text):
        name, _, anchor = target.partition("#")
        if "://" in name or name.startswith("mailto:"):
            continue
        linked = (path.parent / name).resolve() if name else path
        if not linked.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(text if linked == path else _read(linked)):
            yield f"{target}: no such heading"


@cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
