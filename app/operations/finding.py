"""The result of one check of ``fraudstream doctor``."""

from enum import StrEnum

import msgspec

from app.domain.safe_text import without_credentials


class Outcome(StrEnum):
    """Severity of a finding, in ascending order."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True):
    """One line of the doctor's output."""

    check: str
    outcome: Outcome
    found: str
    remedy: str = ""
    """What to do; empty when the check passed."""


def ok(check: str, found: str) -> Finding:
    return _finding(check, Outcome.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    return _finding(check, Outcome.WARNING, found, remedy)


def failed(check: str, found: str, remedy: str) -> Finding:
    return _finding(check, Outcome.FAILED, found, remedy)


def _finding(check: str, outcome: Outcome, found: str, remedy: str = "") -> Finding:
    """A finding quotes errors, which may hold the URL of a server."""
    return Finding(check, outcome, without_credentials(found), without_credentials(remedy))
