"""The result of one check of ``fraudstream doctor``."""

from enum import StrEnum

import msgspec


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
    return Finding(check, Outcome.OK, found)


def warning(check: str, found: str, remedy: str) -> Finding:
    return Finding(check, Outcome.WARNING, found, remedy)


def failed(check: str, found: str, remedy: str) -> Finding:
    return Finding(check, Outcome.FAILED, found, remedy)
