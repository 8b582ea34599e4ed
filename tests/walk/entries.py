"""How the walk treats a command of a page."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple


class Needs(Enum):
    """What must be there before a command."""

    FILES = "the installation, and the files that commands before it have written"
    KAFKA = "the local stack and the workers of the guide"
    ELSEWHERE = "more than the walk has"


class Entry(NamedTuple):
    """How the walk treats a command."""

    needs: Needs
    runs: str = ""
    """The command with its place holders filled; braces name what ``finds`` of an earlier entry has found. Empty: as written."""
    codes: tuple[int, ...] = (0,)
    finds: Mapping[str, str] = {}
    """Patterns of its output, by the name under which later commands use what the first group matches."""
    says: str = ""
    """Part of its output or of its errors."""
    reason: str = ""
    """Why it is not run here."""


def files(runs: str = "", **more: Any) -> Entry:
    return Entry(Needs.FILES, runs, **more)


def kafka(runs: str = "", **more: Any) -> Entry:
    return Entry(Needs.KAFKA, runs, **more)


def elsewhere(reason: str) -> Entry:
    return Entry(Needs.ELSEWHERE, reason=reason)
